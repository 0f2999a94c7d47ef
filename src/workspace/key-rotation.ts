/**
 * Rotates the key that seals the cache: by command, and by itself when it has reached its age. A new key seals what comes from then on; an
 * old one leaves the ring when nothing it sealed is left.
 *
 * Invariant: no key goes that something on disk still needs. So a key must have been found unused at every look for an hour: what was being
 * written, or came back after a power cut with notes that had not reached the disk, is seen by then.
 */
import { type Clock, every } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { withNewKey, withoutKeys } from './key-ring.ts';
import type { KeyAge, StoredKeyRing } from './key-ring-file.ts';

const LOOK_EVERY_MS = 10 * 60_000;
const UNUSED_FOR_MS = 60 * 60_000;

/** What a key sealed and still protects. */
export interface KeyHoldings {
  /** Groups in the cache that are not done. */
  readonly groups: number;
  readonly deadLetters: number;
  readonly enrolmentKeys: number;
  readonly senderSecrets: number;
}

/** One finding: a key that is in use, and for what. All counts may be 0: then a segment still holds something it sealed that is done. */
export type KeyHolding = Partial<KeyHoldings> & { readonly keyId: string };

/** A key as an operator sees it, never the key itself. */
export interface KeyFacts extends KeyAge, KeyHoldings {
  /** Something it sealed is still on disk. */
  readonly isInUse: boolean;
  /** Something needs it, but it is not in the ring. */
  readonly isLost: boolean;
}

export interface Rotated {
  readonly from: string;
  readonly to: string;
}

export interface KeyRotationParts {
  readonly ring: StoredKeyRing;
  /** Age at which the current key is replaced. */
  readonly keyLifeMs: number;
  readonly holdings: () => Promise<readonly KeyHolding[]>;
  /** Seals again, with the current key, what is few and kept for long. */
  readonly reseal: () => void;
  /** Gives up for good what a lost key sealed; what is left when `signal` is aborted stays. */
  readonly forget: (keyId: string, signal: AbortSignal) => Promise<void>;
  /** Told what the relay did to its keys without being asked. */
  readonly onOwnChange?: (action: 'key.rotate' | 'key.remove', keyId: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface KeyRotation {
  /** Looks now, and again and again: is the current key too old, has an old one become useless? */
  start(): Promise<void>;
  /** Throws `relay.keys.read-only` or `relay.keys.cannot-write`; then nothing has changed. */
  rotate(): Promise<Rotated>;
  /** Begins to give up for good what a key sealed that is lost; returns what that is. Throws `relay.control.not-found` for a key that is not lost. */
  forget(keyId: string): Promise<KeyFacts>;
  /** The current key first, then from the youngest to the oldest, then the lost ones. */
  list(): Promise<KeyFacts[]>;
  stop(): Promise<void>;
}

export function createKeyRotation({ ring, keyLifeMs, holdings, reseal, forget, onOwnChange = () => {}, clock, log }: KeyRotationParts): KeyRotation {
  const unusedSince = new Map<string, number>();
  let turn: Promise<unknown> = Promise.resolve();
  let stopLooking = (): void => {};
  let hasWarned = false;
  const stopping = new AbortController();

  /** One change of the ring at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  const rotate = async (): Promise<Rotated> => {
    const from = ring.currentKeyId;
    await ring.change((content) => withNewKey(content, clock.now()));
    const rotated = { from, to: ring.currentKeyId };
    log.info(rotated, 'a new key seals what comes from now on; the old one stays until nothing it sealed is left');
    reseal();
    return rotated;
  };

  const isTooOld = (): boolean => {
    const createdAt = ring.ages().find(({ isCurrent }) => isCurrent)?.createdAt;
    return createdAt !== undefined && clock.now() - createdAt >= keyLifeMs;
  };

  const rotateWhenTooOld = async (): Promise<void> => {
    if (!isTooOld()) return;
    if (ring.isWritable) onOwnChange('key.rotate', (await rotate()).to);
    else if (!hasWarned)
      log.warn({ keyId: ring.currentKeyId }, 'the current key is older than cache.keyLife; the relay cannot write the credential store: add a key to it');
    hasWarned = true;
  };

  const removeUnused = async (): Promise<void> => {
    const old = ring.ages().filter(({ isCurrent }) => !isCurrent);
    if (old.length === 0 || !ring.isWritable) return;
    const used = new Set((await holdings()).map(({ keyId }) => keyId));
    for (const { id } of old) {
      if (used.has(id)) unusedSince.delete(id);
      else if (!unusedSince.has(id)) unusedSince.set(id, clock.now());
    }
    const gone = old.map(({ id }) => id).filter((id) => clock.now() - (unusedSince.get(id) ?? Number.POSITIVE_INFINITY) >= UNUSED_FOR_MS);
    if (gone.length === 0) return;
    await ring.change((content) => withoutKeys(content, new Set(gone)));
    for (const id of gone) {
      unusedSince.delete(id);
      onOwnChange('key.remove', id);
    }
    log.info({ keyIds: gone }, 'old keys have left the key ring: nothing they sealed is left');
  };

  const list = async (): Promise<KeyFacts[]> => factsOf(ring.ages(), await holdings());

  const look = async (): Promise<void> => {
    try {
      await rotateWhenTooOld();
      // A kill between a rotation and this leaves some sealed with the key before.
      reseal();
      await removeUnused();
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'the keys could not be rotated; it is tried again in ten minutes');
    }
  };

  return {
    async start() {
      await inTurn(look);
      stopLooking = every(clock, LOOK_EVERY_MS, () => inTurn(look));
    },
    rotate: () => inTurn(rotate),
    list,
    async forget(keyId) {
      const facts = (await list()).find(({ id, isLost }) => id === keyId && isLost);
      if (!facts) throw new RelayError('relay.control.not-found', `No key "${keyId}" is lost. List the keys with: relay keys list`);
      void inTurn(() => forget(keyId, stopping.signal)).catch((error: unknown) =>
        log.error({ keyId, reason: messageOf(error) }, 'what a lost key sealed could not all be given up; the rest stays. Try again'),
      );
      return facts;
    },
    async stop() {
      stopLooking();
      stopping.abort();
      await turn;
    },
  };
}

function factsOf(ages: readonly KeyAge[], holdings: readonly KeyHolding[]): KeyFacts[] {
  const inRing = [...ages].sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || (b.createdAt ?? 0) - (a.createdAt ?? 0));
  const known = new Set(ages.map(({ id }) => id));
  const lost = [...new Set(holdings.map(({ keyId }) => keyId))].filter((id) => !known.has(id));
  const keys = [...inRing, ...lost.map((id) => ({ id, isCurrent: false, createdAt: undefined }))];
  return keys.map((key) => {
    const own = holdings.filter(({ keyId }) => keyId === key.id);
    const sum = (of: keyof KeyHoldings): number => own.reduce((total, holding) => total + (holding[of] ?? 0), 0);
    const counts = { groups: sum('groups'), deadLetters: sum('deadLetters'), enrolmentKeys: sum('enrolmentKeys'), senderSecrets: sum('senderSecrets') };
    return { ...key, ...counts, isInUse: own.length > 0, isLost: !known.has(key.id) };
  });
}
