/**
 * The management group's certificate authority. Its folder holds its roots (`root-files.ts`) and the server's pair. A root is made once and
 * never overwritten; another one follows it by the rules of `rollover.ts`.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import { type OwnSecrets, plainSecrets } from '../own-secrets.ts';
import {
  type IssuedCertificate,
  issueAgentCertificate,
  issueMemberCertificate,
  type WantedAgentCertificate,
  type WantedMemberCertificate,
} from './agent-certificates.ts';
import { createPrivateKeyPem, type Identity } from './agent-identity.ts';
import { createCertificate } from './certificate.ts';
import { openIssuedUntil } from './issued-until.ts';
import { createRevocationList, type RevocationListContent } from './revocation-list.ts';
import { atTime, chainOf, checkMayRotate, finished, type Roots, trustedRoots, withNext } from './rollover.ts';
import { createRoot, issuerOf } from './root-certificate.ts';
import { readPair, readRoots, writePair, writeRoots } from './root-files.ts';
import { type Fingerprint, fingerprintOf, fromPem, toPem } from './x509.ts';

const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 5 * 60_000;
/** Two thirds of a certificate's life, after which it is renewed. */
const RENEW_AT = 2 / 3;

/** A root as an operator sees it; never its key. */
export interface RootFacts {
  readonly fingerprint: Fingerprint;
  /** `next` is known and does not sign yet; `retired` is trusted and signs nothing any more. */
  readonly role: 'current' | 'next' | 'retired';
  readonly certificate: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
  /** Since when agents can learn it; undefined for the first root. */
  readonly knownSince?: number | undefined;
  /** When a next root begins to sign. */
  readonly beginsAt?: number | undefined;
  /** When a retired root stops being trusted. */
  readonly trustedUntil?: number | undefined;
}

/** All that makes an authority, keys included: for another relay of the same group. */
export interface AuthorityCopy {
  readonly roots: Roots;
  /** When the last certificate that was issued ends, in milliseconds since 1970. */
  readonly issuedUntil: number;
}

export interface Authority {
  /** PEM of the current root certificate. */
  readonly root: string;
  readonly rootFingerprint: Fingerprint;
  /** PEM of the current root, and of every root to be trusted now, that one first. */
  roots(): { readonly current: string; readonly trusted: readonly string[] };
  describe(): readonly RootFacts[];
  /** PEM of the certificates that a server sends behind its own. */
  chain(): string;
  /** The server's certificate for these DNS names and addresses: the one on disk, or a new one when that lacks a name, two thirds of its life are over or its root signs no more. */
  serverIdentity(names: readonly string[], days: number): Promise<Identity>;
  /** Issues an agent's certificate under the current root. */
  issueAgent(wanted: WantedAgentCertificate): IssuedCertificate;
  /** Issues a certificate for a relay of the same group under the current root; its DER. */
  issueMember(wanted: WantedMemberCertificate): Buffer;
  copy(): AuthorityCopy;
  /** Uses another relay's roots from now on. Throws `relay.authority.unusable` when a certificate and its key do not belong together. */
  adopt(copy: AuthorityCopy): Promise<void>;
  /** DER of a revocation list of the current root. */
  revocationList(content: RevocationListContent): Buffer;
  /** Makes the next root, which begins to sign after the overlap. Throws `relay.authority.rollover-running` when none can follow now. */
  rotate(overlapMs: number): Promise<void>;
  /** Ends the overlap now. Throws `relay.authority.no-rollover`. */
  finish(): Promise<void>;
  /** Does what time has brought: the next root begins, a retired one goes. To be called now and then. */
  keepUp(): Promise<void>;
  /** Tells of every change of the roots. The function returned ends that. */
  onChange(listener: () => void): () => void;
}

/** Opens the authority in `folder`, and makes its root at the first call. Throws `relay.authority.unusable` when files do not belong together or the root is lost. */
export async function openAuthority(folder: string, now: () => number, secrets: OwnSecrets = plainSecrets): Promise<Authority> {
  await makePrivateFolder(folder);
  let roots = await readRoots(folder, now(), secrets);
  let issuer = issuerOf(roots.current);
  const issuedUntil = openIssuedUntil(folder);
  const listeners = new Set<() => void>();
  let lastChange: Promise<void> = Promise.resolve();

  // One at a time, each on what the one before has left.
  const change = (how: (roots: Roots) => Roots | Promise<Roots>): Promise<void> => {
    const run = async (): Promise<void> => {
      const next = await how(roots);
      if (next === roots) return;
      await writeRoots(folder, next, secrets);
      roots = next;
      issuer = issuerOf(next.current);
      for (const listener of listeners) listener();
    };
    const result = lastChange.then(run);
    lastChange = result.catch(() => {});
    return result;
  };

  const issueServer = async (names: readonly string[], days: number): Promise<Identity> => {
    const privateKey = await createPrivateKeyPem();
    const der = createCertificate({
      subject: [
        ['CN', (names[0] ?? 'relay').slice(0, 64)],
        ['O', 'Relay'],
      ],
      issuer: issuer.name,
      notBefore: new Date(now() - CLOCK_SKEW_MS),
      notAfter: new Date(now() + days * DAY_MS),
      publicKey: createPublicKey(createPrivateKey(privateKey)),
      issuerKey: issuer.key,
      authority: false,
      alternativeNames: names,
      extendedKeyUsage: ['serverAuth'],
    });
    const identity = { certificate: toPem(der), privateKey };
    await writePair(folder, 'server', identity, secrets);
    return identity;
  };

  return {
    get root() {
      return roots.current.certificate;
    },
    get rootFingerprint() {
      return fingerprintOf(fromPem(roots.current.certificate));
    },
    roots: () => ({ current: roots.current.certificate, trusted: trustedRoots(roots) }),
    describe: () => factsOf(roots),
    chain: () => chainOf(roots).join(''),
    async serverIdentity(names, days) {
      const current = await readPair(folder, 'server', secrets);
      return current && isGoodFor(current, names, roots.current.certificate, now()) ? current : await issueServer(names, days);
    },
    issueAgent(wanted) {
      issuedUntil.note(now() + wanted.lifeMs);
      return issueAgentCertificate(issuer, wanted, now());
    },
    issueMember(wanted) {
      issuedUntil.note(now() + wanted.lifeMs);
      return issueMemberCertificate(issuer, wanted, now());
    },
    copy: () => ({ roots, issuedUntil: issuedUntil.value() }),
    async adopt({ roots: others, issuedUntil: until }) {
      issuedUntil.note(until);
      await change((before) => (isSame(before, others) ? before : checked(others)));
    },
    revocationList: (content) => createRevocationList(issuer, content),
    rotate: (overlapMs) =>
      change(async (before) => {
        checkMayRotate(before);
        const root = await createRoot(now(), before.current);
        return withNext(before, { ...root, knownSince: now() }, now() + overlapMs);
      }),
    finish: () => change((before) => finished(before, now(), issuedUntil.value())),
    keepUp: () => change((before) => atTime(before, now(), issuedUntil.value())),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function isSame(one: Roots, other: Roots): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)));
}

function checked(roots: Roots): Roots {
  for (const { certificate, privateKey } of [roots.current, ...(roots.next ? [roots.next.root] : [])]) {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey)))
      throw new RelayError(
        'relay.authority.unusable',
        "A root's certificate and key, as another relay sent them, do not belong together. Nothing was changed.",
      );
  }
  return roots;
}

function factsOf({ current, next, retired }: Roots): readonly RootFacts[] {
  const facts = (certificate: string): Pick<RootFacts, 'fingerprint' | 'certificate' | 'endsAt'> => ({
    fingerprint: fingerprintOf(fromPem(certificate)),
    certificate,
    endsAt: new X509Certificate(certificate).validToDate.getTime(),
  });
  return [
    { ...facts(current.certificate), role: 'current', knownSince: current.knownSince },
    ...(next ? [{ ...facts(next.root.certificate), role: 'next' as const, knownSince: next.root.knownSince, beginsAt: next.beginsAt }] : []),
    ...retired.map(({ certificate, trustedUntil }) => ({ ...facts(certificate), role: 'retired' as const, trustedUntil })),
  ];
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
