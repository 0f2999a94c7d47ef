import { createHash, X509Certificate } from 'node:crypto';

/** Largest certificate read from a stranger, in bytes of DER. */
const MAX_DER_BYTES = 16 * 1024;

/** SHA-256 of a certificate's DER, as 64 lower-case hexadecimal digits. It is what an agent is known by. */
export type Fingerprint = string & { readonly __fingerprint: true };

/** What the relay reads from a certificate. Parsed by OpenSSL, never by our own code. */
export interface CertificateFacts {
  readonly fingerprint: Fingerprint;
  /** The subject's common names, in order; special characters escaped as in RFC 4514. */
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
    // OpenSSL forgives bytes behind the certificate and lax DER; the fingerprint would not.
    if (!certificate.raw.equals(der)) return undefined;
    const notBefore = certificate.validFromDate.getTime();
    const notAfter = certificate.validToDate.getTime();
    if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return undefined;
    return { fingerprint: fingerprintOf(der), commonNames: commonNamesOf(certificate), notBefore, notAfter };
  } catch {
    return undefined;
  }
}

// One attribute on each line; OpenSSL escapes control characters within. Never toLegacyObject: Node crashes in it on a malformed public key.
function commonNamesOf(certificate: X509Certificate): string[] {
  const lines = (certificate.subject ?? '').split('\n');
  return lines.filter((line) => line.startsWith('CN=')).map((line) => line.slice('CN='.length));
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
