/** Which folder is a workspace's private storage. It is linked once; from then on it must carry its marker. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RelayError } from '../../errors.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { EXPORTS } from './object-name.ts';
import { type Disk, realDisk } from './place/disk.ts';
import { readMarker, writeMarker } from './place/marker.ts';

/** The marker's file. */
export const STORAGE_MARKER = '.relay-private-storage';

/** What is written into the folder when it is linked. */
export interface StorageMarker {
  readonly format: 1;
  readonly id: string;
  readonly workspace: string;
  /** ISO 8601, UTC. */
  readonly linkedAt: string;
}

const markerSchema: z.ZodType<StorageMarker> = z.strictObject({
  format: z.literal(1),
  id: z.guid(),
  workspace: z.string().max(36),
  linkedAt: z.iso.datetime(),
});

export interface LinkParts {
  /** A new GUID. */
  readonly id: string;
  readonly nowMs: number;
  readonly disk?: Disk;
}

/**
 * Makes a folder the private storage of a workspace; its id, which the caller keeps to open it by. One that is linked to this workspace already
 * stays as it is. Throws `relay.local-workspace.storage-of-another` when it is another workspace's.
 */
export async function linkStorage(folder: string, workspaceId: WorkspaceId, { id, nowMs, disk = realDisk }: LinkParts): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await readMarker(folder, STORAGE_MARKER, markerSchema);
  if (found.state === 'there') return checkedId(folder, found.marker, workspaceId);
  const marker: StorageMarker = { format: 1, id, workspace: workspaceId, linkedAt: new Date(nowMs).toISOString() };
  await writeMarker(disk, folder, STORAGE_MARKER, marker);
  return id;
}

/** Throws `relay.local-workspace.storage-away` when the folder does not carry the marker with this id, `…storage-of-another` when it is another's. */
export async function checkStorage(folder: string, workspaceId: WorkspaceId, id: string): Promise<void> {
  const found = await readMarker(folder, STORAGE_MARKER, markerSchema);
  if (found.state === 'away') throw storageAway(folder, found.why);
  if (checkedId(folder, found.marker, workspaceId) !== id) throw storageAway(folder, `it carries the marker ${found.marker.id}, and ${id} was linked`);
}

/** The target of exports that go into the private storage. */
export function exportsFolder(folder: string): string {
  return join(folder, EXPORTS);
}

/** The location cannot be used at this moment. */
export function storageAway(folder: string, why: string, cause?: unknown): RelayError {
  return new RelayError(
    'relay.local-workspace.storage-away',
    `The private storage ${folder} is not there: ${why}. Mount it, or link the folder that is to take its place.`,
    {
      cause,
    },
  );
}

function checkedId(folder: string, { id, workspace }: StorageMarker, workspaceId: WorkspaceId): string {
  if (workspace === workspaceId) return id;
  throw new RelayError(
    'relay.local-workspace.storage-of-another',
    `The folder ${folder} is the private storage of workspace ${workspace}, not of ${workspaceId}. Give each workspace a folder of its own.`,
  );
}
