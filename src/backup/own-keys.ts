import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Configuration } from '../configuration/schema.ts';
import { makePrivateFolder } from '../files.ts';
import { stateMember } from './members.ts';
import { isIn } from './named-files.ts';
import type { Placed } from './plan-files.ts';
import { AUDIT_KEY, KEY_RING } from './state-files.ts';

/**
 * Moves the key ring and the audit log's key from their default places in the staged state to where the configuration has them. What belongs
 * outside the data folder is returned, to be written there.
 */
export async function putOwnKeys(staging: string, { data, cache, audit }: Configuration, contents: ReadonlyMap<string, Buffer>): Promise<Placed[]> {
  const ring = contents.get(stateMember(KEY_RING)) as Buffer;
  const outside: Placed[] = [];
  // A key ring that the operator chose is read as it is, so it is never sealed.
  if (cache.keyFile !== undefined) outside.push(...(await put({ staging, data, from: KEY_RING, to: cache.keyFile, plain: ring })));
  outside.push(...(await put({ staging, data, from: AUDIT_KEY, to: audit.keyFile, plain: contents.get(stateMember(AUDIT_KEY)) as Buffer })));
  return outside;
}

interface Put {
  readonly staging: string;
  readonly data: string;
  readonly from: string;
  readonly to: string;
  readonly plain: Buffer;
}

async function put({ staging, data, from, to, plain }: Put): Promise<Placed[]> {
  const staged = join(staging, from);
  if (!isIn(data, to)) {
    await rm(staged);
    return [{ path: to, content: plain }];
  }
  await writeFile(staged, plain, { mode: 0o600, flush: true });
  const target = join(staging, relative(data, to));
  await makePrivateFolder(dirname(target));
  await rename(staged, target);
  return [];
}
