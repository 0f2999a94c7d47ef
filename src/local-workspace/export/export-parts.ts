import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Disk } from '../private-storage/place/disk.ts';
import type { Sealer } from '../private-storage/sealer.ts';
import { HEAD, MANIFEST, PUBLIC_KEY, UNFINISHED } from './layout.ts';
import type { ExportSigner } from './signer.ts';
import type { ExportSource } from './source.ts';

/** What an exporter is made of. */
export interface ExporterParts {
  /** The customer's folder; it must be there. The export is its subfolder with the workspace's id. */
  readonly target: string;
  /** A folder of our own on the data folder's disk, for this export alone: what is under way, and the last line that was written. */
  readonly stateFolder: string;
  readonly workspaceId: WorkspaceId;
  readonly source: ExportSource;
  readonly signer: ExportSigner;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** Seals files under the customer's key; plain without. */
  readonly sealer?: Sealer | undefined;
  /** Makes a finished file immutable; throws when it cannot. */
  readonly makeImmutable?: ((path: string) => Promise<void>) | undefined;
  /** A file takes no more rows once it holds so many bytes of JSON lines; 64 MiB unless given. */
  readonly partBytes?: number | undefined;
  readonly disk?: Disk | undefined;
}

/** Where everything of an export lies. */
export interface ExportPlaces {
  /** What leaves our hands: `<target>/<workspace>`. */
  readonly folder: string;
  readonly manifest: string;
  readonly head: string;
  readonly publicKey: string;
  readonly unfinished: string;
  /** Our own: what is to be done again after a crash. */
  readonly pending: string;
  /** Our own: the last line that was written. */
  readonly ownHead: string;
}

export function placesOf({ target, stateFolder, workspaceId }: Pick<ExporterParts, 'target' | 'stateFolder' | 'workspaceId'>): ExportPlaces {
  const folder = join(target, workspaceId);
  return {
    folder,
    manifest: join(folder, MANIFEST),
    head: join(folder, HEAD),
    publicKey: join(folder, PUBLIC_KEY),
    unfinished: join(folder, UNFINISHED),
    pending: join(stateFolder, 'pending.json'),
    ownHead: join(stateFolder, 'head.json'),
  };
}
