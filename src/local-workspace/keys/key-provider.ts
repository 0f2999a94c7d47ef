/**
 * What keeps the key that wraps data keys: the service itself, or a customer who can take it away at any time.
 *
 * Invariant: the wrapping key and the service's data meet in this port alone. A provider is asked anew each time and caches no key, so that its
 * answer is true at that moment.
 */
import type { WorkspaceId } from '../../workspace/workspace-id.ts';

export const KEY_PROVIDER_KINDS = ['service', 'file', 'command', 'pkcs11'] as const;
export type KeyProviderKind = (typeof KEY_PROVIDER_KINDS)[number];

/** Whom a wrapped key is for. It is authenticated: wrapped for one workspace, a key does not open for another. */
export interface WrapContext {
  readonly workspaceId: WorkspaceId;
}

/** A wrapped key, and which of the provider's keys (a version of its key) wrapped it. */
export interface WrappedKey {
  /** 1 to 128 printable ASCII characters without spaces; tells nothing of the key. */
  readonly keyId: string;
  readonly wrapped: Buffer;
}

/** The provider's key cannot be had now. The reason goes on from "its key cannot be had: " and holds no secret. */
export interface KeyUnavailable {
  readonly outcome: 'unavailable';
  /** It may be back in seconds and nobody took it away: a time-out. */
  readonly isTransient: boolean;
  readonly reason: string;
}

/** Keeps keys that wrap others. What can be expected is an outcome; what a method throws is a surprise. */
export interface KeyProvider {
  readonly kind: KeyProviderKind;
  /** For people: `the key file /media/stick/relay.keys`. */
  readonly name: string;
  /** Wraps by its newest key. `plain` is of 32 bytes. */
  wrap(plain: Buffer, context: WrapContext): Promise<({ readonly outcome: 'wrapped' } & WrappedKey) | KeyUnavailable>;
  /** `damaged`: the key is there, but these bytes were changed or are for another workspace. */
  unwrap(wrapped: WrappedKey, context: WrapContext): Promise<{ readonly outcome: 'unwrapped'; readonly plain: Buffer } | Damaged | KeyUnavailable>;
  /** The id of its newest key. */
  currentKeyId(context: WrapContext): Promise<{ readonly outcome: 'known'; readonly keyId: string } | KeyUnavailable>;
  /** Makes a newer key than `keyId`, where there is none yet. Only for keys that the service makes itself. */
  renew?(keyId: string): Promise<void>;
}

export interface Damaged {
  readonly outcome: 'damaged';
}

/** What an id of a provider's key looks like. */
export const KEY_ID: RegExp = /^[!-~]{1,128}$/;

export function unavailable(reason: string): KeyUnavailable {
  return { outcome: 'unavailable', isTransient: false, reason };
}

export function unavailableForNow(reason: string): KeyUnavailable {
  return { outcome: 'unavailable', isTransient: true, reason };
}
