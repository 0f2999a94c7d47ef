/** Wraps keys by keys of 32 bytes that are in memory for the moment (AES-256-GCM, as blocks are sealed). */
import { createSecretKey } from 'node:crypto';
import type { Damaged, WrapContext } from './key-provider.ts';
import { openBlock, sealBlock } from './sealed-block.ts';

/** A key of 32 bytes with its id. */
export interface WrappingKey {
  readonly id: string;
  readonly bytes: Buffer;
}

export function wrapBy(key: WrappingKey, plain: Buffer, context: WrapContext): Buffer {
  return Buffer.concat(sealBlock(plain, createSecretKey(key.bytes), placeOf(key, context)));
}

export function unwrapBy(key: WrappingKey, wrapped: Buffer, context: WrapContext): { readonly outcome: 'unwrapped'; readonly plain: Buffer } | Damaged {
  try {
    return { outcome: 'unwrapped', plain: openBlock(wrapped, createSecretKey(key.bytes), placeOf(key, context)) };
  } catch {
    return { outcome: 'damaged' };
  }
}

function placeOf(key: WrappingKey, { workspaceId }: WrapContext): { workspaceId: string; file: string; place: string } {
  return { workspaceId, file: 'data-key.json', place: `wrapped by ${key.id}` };
}
