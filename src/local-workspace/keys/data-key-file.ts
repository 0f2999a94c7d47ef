import { join } from 'node:path';
import { z } from 'zod';
import { RelayError } from '../../errors.ts';
import { readFileIfAny, writeFileAtomic } from '../../files.ts';
import type { Format } from '../../format.ts';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import { KEY_ID, KEY_PROVIDER_KINDS, type KeyProviderKind } from './key-provider.ts';

/** The layout of `data-key.json`. */
export const DATA_KEY_FORMAT: Format = { reads: [1], writes: 1 };

const NAME = 'data-key.json';
const MOST_WRAPPED_CHARS = 16 * 1024;

/** What the file holds: nothing secret. */
export interface DataKeyFile {
  readonly format: 1;
  readonly workspace: WorkspaceId;
  /** Eight hexadecimal digits. */
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly by: WrappedBy;
  /** In base64. */
  readonly wrapped: string;
}

/** Which key wraps it. */
export interface WrappedBy {
  readonly provider: KeyProviderKind;
  readonly keyId: string;
  /** From when on this key has wrapped it, ISO 8601. */
  readonly since: string;
}

const workspace = z.string().transform((found, context) => {
  const id = readWorkspaceId(found);
  if (!id) context.addIssue({ code: 'custom', message: 'must be the GUID of a workspace' });
  return id ?? z.NEVER;
});

const schema: z.ZodType<DataKeyFile> = z.strictObject({
  format: z.literal(1),
  workspace,
  id: z.string().regex(/^[0-9a-f]{8}$/),
  createdAt: z.iso.datetime(),
  by: z.strictObject({ provider: z.enum(KEY_PROVIDER_KINDS), keyId: z.string().regex(KEY_ID), since: z.iso.datetime() }),
  wrapped: z.base64().min(1).max(MOST_WRAPPED_CHARS),
});

/** Reads a workspace's data key, wrapped; undefined when there is none. Throws `relay.local-workspace.bad-data-key` for what is none. */
export async function readDataKeyFile(folder: string): Promise<DataKeyFile | undefined> {
  const path = join(folder, NAME);
  const content = await readFileIfAny(path);
  if (content === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(content.toString()));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? cause.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') : 'it is no JSON';
    throw new RelayError('relay.local-workspace.bad-data-key', `${path} holds no wrapped data key: ${why}. Restore it from a backup.`);
  }
}

/** Writes it whole or not at all, durably. Throws `relay.local-workspace.cannot-write-data-key`; then the file is as it was. */
export async function writeDataKeyFile(folder: string, file: DataKeyFile): Promise<void> {
  try {
    await writeFileAtomic(join(folder, NAME), `${JSON.stringify(file, undefined, 2)}\n`);
  } catch (cause) {
    const message = `The wrapped data key cannot be written to ${folder}, so it stays as it was. Check the folder and its disk.`;
    throw new RelayError('relay.local-workspace.cannot-write-data-key', message, { cause });
  }
}
