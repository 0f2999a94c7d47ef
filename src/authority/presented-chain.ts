import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

const MAX_CHAIN = 10;

/** Where a server listens, by which name it is asked for, and how long to wait, in milliseconds. */
export interface ChainQuestion {
  readonly host: string;
  readonly port: number;
  /** The host, where it is a name, unless given. */
  readonly servername?: string;
  readonly timeoutMs: number;
}

/**
 * The certificates (DER) that a server presents, its own first, for somebody who knows the hash of the root among them. Nothing is verified, and
 * nothing is sent over the connection. Rejects with what went wrong when no chain came.
 */
export function presentedChain({ host, port, servername = isIP(host) ? undefined : host, timeoutMs }: ChainQuestion): Promise<Buffer[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer[]>();
  const socket = connect({ host, port, rejectUnauthorized: false, timeout: timeoutMs, ...(servername === undefined ? {} : { servername }) });
  socket.once('secureConnect', () => resolve(chainOf(socket)));
  socket.once('timeout', () => reject(new Error(`no answer within ${timeoutMs / 1000} s`)));
  socket.once('error', reject);
  return promise.finally(() => socket.destroy());
}

// Not getPeerCertificate: it crashes on a public key that is malformed, and nothing here is verified yet.
function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate && chain.length < MAX_CHAIN) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
