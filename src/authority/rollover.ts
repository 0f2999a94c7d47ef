/**
 * How one root follows another. Pure. First the next root is only made known; when the overlap is over it signs, and the old one stays
 * trusted until the last certificate it signed has ended. At every moment two neighbours in time are trusted together, so that whoever
 * asked once during the overlap never meets a certificate it cannot verify.
 */
import { RelayError } from '../errors.ts';
import type { Identity } from './agent-identity.ts';

/** Agents keep four roots at most: the current one, the next one, and these. */
const MOST_RETIRED = 2;

export interface Root extends Identity {
  /** PEM: this root's key and name, signed by the root before it. For clients that know only that one. */
  readonly crossed?: string | undefined;
  /** Since when agents can learn it, in milliseconds since 1970; undefined for the first root. */
  readonly knownSince?: number | undefined;
}

export interface NextRoot {
  readonly root: Root;
  /** When it begins to sign, in milliseconds since 1970. */
  readonly beginsAt: number;
}

/** A root that signs nothing any more; its key is gone. */
export interface RetiredRoot {
  readonly certificate: string;
  /** When the last certificate it signed ends, in milliseconds since 1970. */
  readonly trustedUntil: number;
}

export interface Roots {
  readonly current: Root;
  readonly next?: NextRoot | undefined;
  /** The newest first. */
  readonly retired: readonly RetiredRoot[];
}

/** Certificates (PEM) of every root to be trusted now: the current one, the next one, the retired ones. */
export function trustedRoots({ current, next, retired }: Roots): readonly string[] {
  return [current.certificate, ...(next ? [next.root.certificate] : []), ...retired.map(({ certificate }) => certificate)];
}

/** Certificates (PEM) that go with a server's own, so that clients which trust the root before this one can follow, and any root trusted can be learnt by its fingerprint. */
export function chainOf({ current, retired: [before] }: Roots): readonly string[] {
  return before && current.crossed !== undefined ? [current.crossed, before.certificate, current.certificate] : [current.certificate];
}

/** Throws `relay.authority.rollover-running` when no other root can follow now. */
export function checkMayRotate({ next, retired }: Roots): void {
  if (next) throw refused(`The next root is known already and begins to sign on ${day(next.beginsAt)}. Wait for that, or: relay authority finish`);
  const oldest = retired[MOST_RETIRED - 1];
  if (oldest)
    throw refused(`${retired.length} earlier roots are still trusted, and agents keep no more. The oldest goes on ${day(oldest.trustedUntil)}; rotate then.`);
}

/** Makes the next root known. */
export function withNext(roots: Roots, root: Root, beginsAt: number): Roots {
  return { ...roots, next: { root, beginsAt } };
}

/** Ends the overlap now. Throws `relay.authority.no-rollover` when there is none. */
export function finished(roots: Roots, now: number, issuedUntil: number): Roots {
  if (!roots.next) throw new RelayError('relay.authority.no-rollover', 'No other root is on its way. Begin with: relay authority rotate');
  return atTime({ ...roots, next: { ...roots.next, beginsAt: now } }, now, issuedUntil);
}

/** What holds at this time: the very same object when nothing changes. `issuedUntil` is when the last certificate of the current root ends. */
export function atTime(roots: Roots, now: number, issuedUntil: number): Roots {
  const { current, next, retired } = roots;
  const begins = next !== undefined && now >= next.beginsAt;
  const newest = begins ? [{ certificate: current.certificate, trustedUntil: Math.max(issuedUntil, now) }] : [];
  const kept = [...newest, ...retired].filter(({ trustedUntil }) => trustedUntil >= now);
  if (!begins && kept.length === retired.length) return roots;
  return begins ? { current: next.root, retired: kept } : { ...roots, retired: kept };
}

function refused(message: string): RelayError {
  return new RelayError('relay.authority.rollover-running', message);
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
