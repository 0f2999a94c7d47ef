import { createHmac, timingSafeEqual } from 'node:crypto';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';

const SHARED_KEY = /^SharedKey ([^:\s]{1,64}):([A-Za-z0-9+/]{1,128}={0,2})$/;
const SIGNATURE_BYTES = 32;

/** What an Authorization header of the Data Collector API brings. */
export type SharedKey =
  | { readonly outcome: 'read'; readonly workspaceId: WorkspaceId; readonly signature: Buffer }
  /** Not of this scheme, or not as it must be. */
  | { readonly outcome: 'unreadable' }
  | { readonly outcome: 'no-workspace'; readonly found: string };

/** Reads `SharedKey <workspace id>:<signature in base64>`. */
export function readSharedKey(authorization: string | undefined): SharedKey {
  const [, id, signature] = SHARED_KEY.exec(authorization ?? '') ?? [];
  if (id === undefined || signature === undefined) return { outcome: 'unreadable' };
  const workspaceId = readWorkspaceId(id);
  return workspaceId ? { outcome: 'read', workspaceId, signature: Buffer.from(signature, 'base64') } : { outcome: 'no-workspace', found: id };
}

export interface SignedFacts {
  /** Bytes of the body as the sender counted them: one of these. */
  readonly lengths: readonly number[];
  /** `x-ms-date` as it came. */
  readonly date: string;
  readonly signature: Buffer;
}

/** Whether a signature was made with a key (base64), in constant time. The body itself is not signed, its length is. */
export function isSignedWith(key: string, { lengths, date, signature }: SignedFacts): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const bytes = Buffer.from(key, 'base64');
  return lengths.map((length) => timingSafeEqual(signature, sign(bytes, length, date))).includes(true);
}

function sign(key: Buffer, length: number, date: string): Buffer {
  return createHmac('sha256', key).update(`POST\n${length}\napplication/json\nx-ms-date:${date}\n/api/logs`, 'utf8').digest();
}
