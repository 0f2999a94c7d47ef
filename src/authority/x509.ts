import { createHash, X509Certificate } from 'node:crypto';

/** Largest certificate read from a stranger, in bytes of DER. */
const MAX_DER_BYTES = 16 * 1024;

/** SHA-256 of a certificate's DER, as 64 lower-case hexadecimal digits. It is what an agent is known by. */
export type Fingerprint = string & { readonly __fingerprint: true };

/** What the relay reads from a certificate. Parsed by OpenSSL, never by our own code. */
export interface CertificateFacts {
  readonly fingerprint: Fingerprint;
  /** The subject's common names, in order. */
  readonly commonNames: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export function fingerprintOf(der: Uint8Array): Fingerprint {
  return createHash('sha256').update(der).digest('hex') as Fingerprint;
}

/** Reads a certificate's DER; undefined when it is none, or larger than 16 KiB. */
export function readCertificate(der: Uint8Array): CertificateFacts | undefined {
  if (der.length === 0 || der.length > MAX_DER_BYTES) return undefined;
  try {
    const certificate = new X509Certificate(der);
    // OpenSSL ignores bytes behind the certificate; the fingerprint would not.
    if (certificate.raw.length !== der.length) return undefined;
    return {
      fingerprint: fingerprintOf(der),
      commonNames: commonNamesOf(certificate),
      notBefore: certificate.validFromDate.getTime(),
      notAfter: certificate.validToDate.getTime(),
    };
  } catch {
    return undefined;
  }
}

function commonNamesOf(certificate: X509Certificate): string[] {
  const names: unknown = certificate.toLegacyObject().subject?.CN;
  return [names].flat().filter((name): name is string => typeof name === 'string');
}

/** PEM (RFC 7468) of a certificate's DER. */
export function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** DER of the first certificate in a PEM text. Throws when there is none. */
export function fromPem(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}
