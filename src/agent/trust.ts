import { X509Certificate } from 'node:crypto';
import { presentedChain } from '../authority/presented-chain.ts';
import { fingerprintOf, toPem } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';

const TIMEOUT_MS = 10_000;
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** How an agent comes to trust its relay: the root certificates (PEM) themselves, or the SHA-256 of its DER in hexadecimal. */
export type Trust = { readonly root: string } | { readonly fingerprint: string };

/**
 * The root to trust, as PEM. By fingerprint: connects once without verification, sends nothing, and takes from the chain exactly the
 * root with that SHA-256. Throws `relay.agent.untrusted` when the chain holds no such root, or the text given is no certificate or fingerprint.
 */
export async function trustedRoot(relay: URL, trust: Trust): Promise<string> {
  if ('root' in trust) return checkedRoot(trust.root);
  const wanted = trust.fingerprint.replace(/[:\s]/g, '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(wanted)) {
    throw untrusted(`A fingerprint is the SHA-256 of the root's DER: 64 hexadecimal digits, found "${trust.fingerprint.slice(0, 100)}".`);
  }
  const chain = await chainOf(relay);
  const match = chain.find((der) => fingerprintOf(der) === wanted);
  if (match && isRoot(match)) return toPem(match);
  const last = chain.at(-1);
  throw untrusted(
    `The relay at ${relay.origin} does not present the root you named. Wanted ${wanted}, its chain ends in ${last ? fingerprintOf(last) : 'nothing'}. ` +
      'Compare the fingerprint with the one the relay prints; if it is right, something stands between this machine and the relay.',
  );
}

function checkedRoot(pem: string): string {
  try {
    const roots = (pem.match(CERTIFICATES) ?? [pem]).map((one) => new X509Certificate(one));
    if (roots.every(({ ca }) => ca)) return roots.map(({ raw }) => toPem(raw)).join('');
  } catch (cause) {
    throw untrusted("The trust file holds no certificate in PEM. Give the relay's root.pem.", cause);
  }
  throw untrusted("The trust file holds a certificate that may not sign others. Give the relay's root.pem, not its server certificate.");
}

function isRoot(der: Buffer): boolean {
  const certificate = new X509Certificate(der);
  return certificate.ca && certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

async function chainOf(relay: URL): Promise<Buffer[]> {
  const host = relay.hostname.replace(/^\[|\]$/g, '');
  try {
    return await presentedChain({ host, port: Number(relay.port || 443), timeoutMs: TIMEOUT_MS });
  } catch (cause) {
    throw new RelayError('relay.agent.unreachable', `The relay at ${relay.origin} did not answer. Check its address, the network and that it is running.`, {
      cause,
    });
  }
}

function untrusted(message: string, cause?: unknown): RelayError {
  return new RelayError('relay.agent.untrusted', message, { cause });
}
