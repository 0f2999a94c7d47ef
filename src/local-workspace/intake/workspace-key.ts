import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { RelayError } from '../../errors.ts';
import { makePrivateFolder, readFileIfAny, readSecretFile, writeFileAtomic } from '../../files.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';

// As issued by the service.
const KEY_BYTES = 64;
const LEAST_KEY_BYTES = 16;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The bytes of a shared key written in base64. Throws `relay.local-workspace.bad-key`; the message never shows it. */
export function readWorkspaceKey(text: string): Buffer {
  const key = BASE64.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  if (key.length >= LEAST_KEY_BYTES) return key;
  throw new RelayError(
    'relay.local-workspace.bad-key',
    `A workspace key is at least ${LEAST_KEY_BYTES} bytes in base64, found a text of ${text.length} characters that is not. Remove its file and start again to get a new one.`,
  );
}

/** The key file of a workspace, made at the first call (64 bytes by chance, base64, mode 0600): its path, and the key. */
export async function ensureWorkspaceKey(dataFolder: string, id: WorkspaceId, warn: (message: string) => void): Promise<{ path: string; key: string }> {
  const folder = join(dataFolder, 'keys');
  const path = join(folder, `${id}.key`);
  await makePrivateFolder(folder);
  if (!(await readFileIfAny(path))) await writeFileAtomic(path, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
  return { path, key: await readSecretFile(path, warn) };
}
