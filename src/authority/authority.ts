/**
 * The management group's certificate authority. Its folder holds root.pem and root.key (mode 0600), the server's pair, and a pair for
 * each workspace upstream. The root is made once and never overwritten.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, writeFileAtomic } from '../files.ts';
import { createPrivateKeyPem, type Identity } from './agent-identity.ts';
import { createCertificate, type NameAttribute } from './certificate.ts';
import { type Fingerprint, fingerprintOf, fromPem, toPem } from './x509.ts';

const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 5 * 60_000;
const ROOT_DAYS = 3650;
/** Two thirds of a certificate's life, after which it is renewed. */
const RENEW_AT = 2 / 3;

export interface Authority {
  /** PEM of the root certificate: what agents must trust. */
  readonly root: string;
  readonly rootFingerprint: Fingerprint;
  /** The server's certificate for these DNS names and addresses: the one on disk, or a new one when that lacks a name or two thirds of its life are over. */
  serverIdentity(names: readonly string[], days: number): Promise<Identity>;
}

/** Opens the authority in `folder`, and makes its root at the first call. Throws `relay.authority.unusable` when files do not belong together or the root is lost. */
export async function openAuthority(folder: string, now: () => number): Promise<Authority> {
  await makePrivateFolder(folder);
  const root = (await readPair(folder, 'root')) ?? (await createRoot(folder, now()));
  const rootKey = createPrivateKey(root.privateKey);
  const rootName = nameOf(root.certificate);

  const issueServer = async (names: readonly string[], days: number): Promise<Identity> => {
    const privateKey = await createPrivateKeyPem();
    const der = createCertificate({
      subject: [
        ['CN', (names[0] ?? 'relay').slice(0, 64)],
        ['O', 'Relay'],
      ],
      issuer: rootName,
      notBefore: new Date(now() - CLOCK_SKEW_MS),
      notAfter: new Date(now() + days * DAY_MS),
      publicKey: createPublicKey(createPrivateKey(privateKey)),
      issuerKey: rootKey,
      authority: false,
      alternativeNames: names,
      extendedKeyUsage: ['serverAuth'],
    });
    const identity = { certificate: toPem(der), privateKey };
    await writePair(folder, 'server', identity);
    return identity;
  };

  return {
    root: root.certificate,
    rootFingerprint: fingerprintOf(fromPem(root.certificate)),
    async serverIdentity(names, days) {
      const current = await readPair(folder, 'server');
      return current && isGoodFor(current, names, root.certificate, now()) ? current : await issueServer(names, days);
    },
  };
}

async function createRoot(folder: string, nowMs: number): Promise<Identity> {
  // The server's certificate is written after the root: where one is, a root was.
  if (await readFileIfAny(join(folder, 'server.pem'))) throw unusable(`${join(folder, 'root.pem')} is gone. Restore it and root.key from a backup`);
  const privateKey = await createPrivateKeyPem();
  const key = createPrivateKey(privateKey);
  const subject: NameAttribute[] = [
    ['CN', `Relay root ${new Date(nowMs).toISOString().slice(0, 10)}`],
    ['O', 'Relay'],
  ];
  const der = createCertificate({
    subject,
    issuer: subject,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + ROOT_DAYS * DAY_MS),
    publicKey: createPublicKey(key),
    issuerKey: key,
    authority: true,
  });
  const root = { certificate: toPem(der), privateKey };
  await writePair(folder, 'root', root);
  return root;
}

/** When a certificate should be renewed: two thirds into its life, in milliseconds since 1970. */
export function renewalDue(certificate: X509Certificate): number {
  const begin = certificate.validFromDate.getTime();
  return begin + (certificate.validToDate.getTime() - begin) * RENEW_AT;
}

function isGoodFor(identity: Identity, names: readonly string[], root: string, nowMs: number): boolean {
  const certificate = new X509Certificate(identity.certificate);
  const covered = (certificate.subjectAltName ?? '').split(', ');
  const covers = names.every((name) => (isIP(name) ? certificate.checkIP(name) !== undefined : covered.includes(`DNS:${name}`)));
  const isDue = nowMs >= renewalDue(certificate);
  // One from the future was made while the clock was wrong.
  return covers && !isDue && certificate.validFromDate.getTime() <= nowMs && certificate.verify(createPublicKey(root));
}

// Read back from the certificate, so that issuer and subject match to the letter (RFC 5280 §4.1.2.4).
function nameOf(pem: string): NameAttribute[] {
  return new X509Certificate(pem).subject.split('\n').map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at) as NameAttribute[0], line.slice(at + 1)] as const;
  });
}

// The key is written first: a certificate on disk always has its key.
async function writePair(folder: string, name: string, identity: Identity): Promise<void> {
  await writeFileAtomic(join(folder, `${name}.key`), identity.privateKey, 0o600);
  await writeFileAtomic(join(folder, `${name}.pem`), identity.certificate, 0o644);
}

async function readPair(folder: string, name: string): Promise<Identity | undefined> {
  const certificate = await readFileIfAny(join(folder, `${name}.pem`));
  if (!certificate) return undefined;
  const privateKey = await readFileIfAny(join(folder, `${name}.key`));
  const pair = { certificate: certificate.toString(), privateKey: privateKey?.toString() ?? '' };
  if (belongTogether(pair)) return pair;
  if (name === 'server') return undefined;
  throw unusable(`${join(folder, `${name}.pem`)} and ${name}.key do not belong together. Restore both from the same backup`);
}

function unusable(what: string): RelayError {
  return new RelayError('relay.authority.unusable', `${what}; a new root would make every agent refuse this relay.`);
}

function belongTogether(pair: Identity): boolean {
  try {
    return new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.privateKey));
  } catch {
    return false;
  }
}
