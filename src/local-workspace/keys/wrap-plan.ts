import type { WrappedBy } from './data-key-file.ts';

const DAY_MS = 86_400_000;

/** What to do about a data key that has just been opened. `renew`: make a newer wrapping key first. */
export type WrapPlan = 'stay' | 'wrap' | 'renew';

export interface WrapFacts {
  readonly by: WrappedBy;
  /** It was opened by the provider that the settings ask for. */
  readonly isByWanted: boolean;
  /** The newest key of that provider. */
  readonly currentKeyId: string;
  /** The provider can make a newer one when asked. */
  readonly canRenew: boolean;
  /** Days. */
  readonly rotateEvery: number;
  readonly now: number;
}

/** A data key is wrapped anew when the provider is to be another, when it has a newer key, and when the key is due and can be renewed. */
export function wrapPlan({ by, isByWanted, currentKeyId, canRenew, rotateEvery, now }: WrapFacts): WrapPlan {
  if (!isByWanted || currentKeyId !== by.keyId) return 'wrap';
  return canRenew && now >= dueAt(by, rotateEvery) ? 'renew' : 'stay';
}

/** When the key that wraps a data key is to be replaced, in milliseconds since 1970. */
export function dueAt(by: WrappedBy, rotateEvery: number): number {
  return Date.parse(by.since) + rotateEvery * DAY_MS;
}
