/** Opens what a workspace has on disk, with its own data key and by the project's own readers: what whoever has the key could read. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import { keysSettings } from '../../../src/local-workspace/keys/keys-settings.ts';
import { createServiceKeyProvider } from '../../../src/local-workspace/keys/service-key-provider.ts';
import { createServiceKeys } from '../../../src/local-workspace/keys/service-keys.ts';
import { openWorkspaceKeys } from '../../../src/local-workspace/keys/workspace-keys.ts';
import { createStagingReader } from '../../../src/local-workspace/staging/staging-reader.ts';
import type { SealerOf } from '../../../src/local-workspace/tables/file-sealer.ts';
import { openSegmentFiles } from '../../../src/local-workspace/tables/segment-files.ts';
import { silentLogger } from '../../../src/logger.ts';
import type { WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import type { Place } from './place.ts';

export interface OpenedFiles {
  /** The texts of all columns of all segment files, whether the catalogue has them or not. */
  readonly segments: readonly string[];
  /** The bodies of all entries in the staging log. */
  readonly staged: readonly string[];
}

/** Of a workspace under the service's own key; the process that keeps it may run. */
export async function openedFiles({ dataFolder, clock }: Pick<Place, 'dataFolder' | 'clock'>, workspaceId: WorkspaceId): Promise<OpenedFiles> {
  const folder = workspaceFolder(dataFolder, workspaceId);
  const provider = createServiceKeyProvider(createServiceKeys({ path: join(dataFolder, 'keys', 'service-keys.json'), clock }));
  const keys = await openWorkspaceKeys({ workspaceId, folder, isFresh: false, provider, settings: keysSettings.parse({}), clock, log: silentLogger });
  try {
    const state = keys.current();
    if (!state.available) throw new Error(`the data key cannot be had: ${state.reason}`);
    const sealerOf = fileSealers(state.key, workspaceId);
    return { segments: segmentsIn(folder, workspaceId, sealerOf), staged: stagedIn(folder, sealerOf) };
  } finally {
    await keys.close();
  }
}

/** How many of the words stand anywhere in them. */
export function foundIn({ segments, staged }: OpenedFiles, words: readonly string[]): { readonly segments: number; readonly staged: number } {
  const count = (texts: readonly string[]): number => words.filter((word) => texts.some((text) => text.includes(word))).length;
  return { segments: count(segments), staged: count(staged) };
}

function segmentsIn(folder: string, workspaceId: WorkspaceId, sealerOf: SealerOf): string[] {
  const main = join(folder, 'segments');
  const files = openSegmentFiles({ workspaceId, folders: { main }, sealerOf });
  const ids = readdirSync(main)
    .filter((name) => name.endsWith('.seg'))
    .map((name) => name.slice(0, -'.seg'.length));
  return ids.flatMap((id) =>
    files.open({ id, place: 'main' }, ({ footer, column }) =>
      footer.columns.flatMap(({ name }) => {
        const vector = column(name);
        return vector?.kind === 'text' ? [...vector.dictionary] : [];
      }),
    ),
  );
}

function stagedIn(folder: string, sealerOf: SealerOf): string[] {
  const reader = createStagingReader(join(folder, 'staging'), sealerOf, 0);
  const texts: string[] = [];
  for (let read = reader.next(Number.MAX_SAFE_INTEGER); read.kind !== 'end'; read = reader.next(Number.MAX_SAFE_INTEGER)) {
    if (read.kind === 'damaged') throw new Error(`${read.file}: ${read.reason}`);
    const { head, body } = read.entry;
    texts.push((head.encoding === 'deflate' ? inflateSync(body) : body).toString());
  }
  reader.close();
  return texts;
}
