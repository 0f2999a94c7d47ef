import { certificateName, duration, list, path, secretFile } from '../option-kinds.ts';
import { check, option, optional, type Schema, section } from '../options.ts';

export interface AuthorityOptions {
  /** DNS names and IP addresses for the server's certificate, beside those the relay adds by itself. */
  readonly serverNames: readonly string[];
  /** Milliseconds. */
  readonly serverCertificateLife: number;
  /** Milliseconds that the next root is known before it signs. */
  readonly rootOverlap: number;
  /** Absolute path; given together with `serverKeyFile`, or neither. */
  readonly serverCertificateFile?: string | undefined;
  readonly serverKeyFile?: string | undefined;
}

const fields: Schema<AuthorityOptions> = section<AuthorityOptions>({
  serverNames: option(
    list(certificateName),
    [],
    "Further names for the server's certificate, beside *.oms.<domain>, *.ods.<domain>, the domain, the host name, localhost and 127.0.0.1.",
  ),
  serverCertificateLife: option(duration({ from: '1h', to: '825d' }), '90d', "Life of the server's certificate; renewed at two thirds of it."),
  rootOverlap: option(
    duration({ from: '1m', to: '365d' }),
    '30d',
    'After `relay authority rotate`: how long agents have to learn the next root before certificates are issued under it.',
  ),
  serverCertificateFile: optional(path, "made by the relay's authority", "Your own server certificate with its chain (PEM), instead of the authority's."),
  serverKeyFile: optional(secretFile, "made by the relay's authority", "Your own server certificate's private key (PEM), mode 0600."),
});

const keyIsThere = check(fields, {
  at: ['serverKeyFile'],
  isGood: (authority) => authority.serverCertificateFile === undefined || authority.serverKeyFile !== undefined,
  problem: () => 'missing; a certificate of your own needs its key: give both serverCertificateFile and serverKeyFile, or neither',
});

export const authorityOptions: Schema<AuthorityOptions> = check(keyIsThere, {
  at: ['serverCertificateFile'],
  isGood: (authority) => authority.serverKeyFile === undefined || authority.serverCertificateFile !== undefined,
  problem: () => 'missing; a key of your own needs its certificate: give both serverCertificateFile and serverKeyFile, or neither',
});
