import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import type { Issuer } from './agent-certificates.ts';
import { createPrivateKeyPem, type Identity } from './agent-identity.ts';
import { createCertificate, type NameAttribute } from './certificate.ts';
import type { Root } from './rollover.ts';
import { toPem } from './x509.ts';

const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 5 * 60_000;
const ROOT_DAYS = 3650;

/** Makes a root of ten years. One that follows another has a name of its own, and is signed by that one as well. */
export async function createRoot(nowMs: number, before?: Identity): Promise<Root> {
  const privateKey = await createPrivateKeyPem();
  const key = createPrivateKey(privateKey);
  const day = new Date(nowMs).toISOString().slice(0, 10);
  const subject: NameAttribute[] = [
    ['CN', before ? `Relay root ${day} ${randomBytes(4).toString('hex')}` : `Relay root ${day}`],
    ['O', 'Relay'],
  ];
  const sign = (issuer: Issuer, notAfterMs: number): string => {
    const notBefore = new Date(nowMs - CLOCK_SKEW_MS);
    const publicKey = createPublicKey(key);
    return toPem(
      createCertificate({ subject, issuer: issuer.name, notBefore, notAfter: new Date(notAfterMs), publicKey, issuerKey: issuer.key, authority: true }),
    );
  };
  const certificate = sign({ name: subject, key }, nowMs + ROOT_DAYS * DAY_MS);
  return { certificate, privateKey, crossed: before && sign(issuerOf(before), new X509Certificate(before.certificate).validToDate.getTime()) };
}

/** A root as the one that signs. */
export function issuerOf({ certificate, privateKey }: Identity): Issuer {
  return { name: nameOf(certificate), key: createPrivateKey(privateKey) };
}

// Read back from the certificate, so that issuer and subject match to the letter (RFC 5280 §4.1.2.4).
function nameOf(pem: string): NameAttribute[] {
  return new X509Certificate(pem).subject.split('\n').map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at) as NameAttribute[0], line.slice(at + 1)] as const;
  });
}
