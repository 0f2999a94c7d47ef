import type { KeyObject } from 'node:crypto';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import type { StagedEntry } from '../../../src/local-workspace/staging/entry.ts';
import { openStagingLog, type StagingLog, type StagingLogParts } from '../../../src/local-workspace/staging/staging-log.ts';
import { createStagingReader } from '../../../src/local-workspace/staging/staging-reader.ts';
import type { WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { BANK, KEY, NOON } from '../tables/store-rig.ts';

export function openLog(folder: string, parts: Partial<StagingLogParts> = {}): Promise<StagingLog> {
  return openStagingLog({ folder, sealerOf: fileSealers(KEY, BANK), atLeast: 0, ...parts });
}

export function entry(text: string): StagedEntry {
  return { head: { kind: 'own', table: 'T', receivedAt: NOON, encoding: 'identity' }, body: Buffer.from(text) };
}

export interface ReadParts {
  readonly after?: number;
  readonly through?: number;
  readonly key?: KeyObject;
  readonly workspaceId?: WorkspaceId;
}

/** What a reader finds: entries as `seq:body`, damaged ones as `damaged`. */
export function readAll(folder: string, { after = 0, through = 1_000, key = KEY, workspaceId = BANK }: ReadParts = {}): string[] {
  const reader = createStagingReader(folder, fileSealers(key, workspaceId), after);
  const found: string[] = [];
  for (let read = reader.next(through); read.kind !== 'end'; read = reader.next(through)) {
    found.push(read.kind === 'entry' ? `${read.entry.seq}:${read.entry.body}` : 'damaged');
  }
  reader.close();
  return found;
}
