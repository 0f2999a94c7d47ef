/** What leaves the workspaces for places of the customer's: exports, and the private storage with the saved queries. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { makePrivateFolder, readFileIfAny, writeFileAtomic } from '../../files.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type ContinuousExport, startContinuousExport } from '../export/continuous.ts';
import { createExporter, type Exporter } from '../export/exporter.ts';
import { makeImmutable } from '../export/immutable-flag.ts';
import { partBytesOf } from '../export/settings.ts';
import { ensureExportSigner } from '../export/signer.ts';
import { createStageSource } from '../export/stage-source.ts';
import type { HostedWorkspace, HostedWorkspaces } from '../hosted-workspace.ts';
import { storageKeyFolder, workspaceFolder } from '../intake/database.ts';
import type { KeyProvider } from '../keys/key-provider.ts';
import type { KeySettings, KeysSettings } from '../keys/keys-settings.ts';
import { openWorkspaceKeys } from '../keys/workspace-keys.ts';
import { linkStorage } from '../private-storage/link.ts';
import { createPrivateStorage } from '../private-storage/private-storage.ts';
import { createSavedQueries, type SavedQueries } from '../private-storage/saved-queries.ts';
import { createSealer, type Sealer } from '../private-storage/sealer.ts';
import { type LocalWorkspaceSettings, settingsOf, type WorkspaceSettings } from '../settings.ts';
import type { Stage } from '../staging/stage.ts';

const MINUTE_MS = 60_000;
/** The storage's data key beside what it seals, wrapped by the customer's key. */
const WRAPPED_KEY = '.relay-data-key.json';

export interface ExportingParts {
  readonly dataFolder: string;
  readonly workspaces: HostedWorkspaces;
  readonly settings: LocalWorkspaceSettings;
  readonly providerOf: (settings: KeySettings) => KeyProvider;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What one workspace has outside. */
export interface Outside {
  readonly exporter?: Pick<Exporter, 'run'> | undefined;
  readonly continuous?: ContinuousExport | undefined;
  readonly savedQueries?: SavedQueries | undefined;
  /** Opens sealed exports. */
  readonly sealer?: Sealer | undefined;
}

/** Opens what the settings say of each workspace, and starts the continuous exports. */
export async function openOutsides(given: ExportingParts, parts: AsyncDisposableStack): Promise<ReadonlyMap<WorkspaceId, Outside>> {
  const outsides = new Map<WorkspaceId, Outside>();
  for (const [workspaceId, workspace] of given.workspaces) {
    const own = settingsOf(given.settings, workspaceId);
    const storage = own.privateStorage && (await openStorage(given, workspaceId, own.privateStorage, parts));
    const exporting =
      workspace.stage && own.export && (await openExport(given, workspace, workspace.stage, { export: own.export, sealer: storage?.sealer }, parts));
    outsides.set(workspaceId, { ...storage, ...exporting });
  }
  return outsides;
}

async function openStorage(
  { dataFolder, providerOf, settings, clock, log }: ExportingParts,
  workspaceId: WorkspaceId,
  { folder, key }: NonNullable<WorkspaceSettings['privateStorage']>,
  parts: AsyncDisposableStack,
): Promise<Required<Pick<Outside, 'savedQueries' | 'sealer'>>> {
  const keyFolder = storageKeyFolder(dataFolder, workspaceId);
  await makePrivateFolder(keyFolder);
  const isFresh = !existsSync(join(keyFolder, 'data-key.json'));
  const limits: Pick<KeysSettings, 'rotateEvery' | 'checkEvery'> = settingsOf(settings, workspaceId).encryption;
  const keys = await openWorkspaceKeys({ workspaceId, folder: keyFolder, isFresh, provider: providerOf(key), settings: limits, clock, log });
  parts.defer(() => keys.close());
  const keyOf = (): ReturnType<typeof keyIn> => keyIn(keys.current());
  const id = await linkedOnce(join(keyFolder, 'link'), folder, workspaceId, clock.now());
  await leaveWrappedKey(join(keyFolder, 'data-key.json'), folder, log);
  const storage = createPrivateStorage({ folder, workspaceId, id, keyOf });
  return { savedQueries: createSavedQueries(storage, clock), sealer: createSealer(keyOf) };
}

// Linked again at each start, an empty place where a disk was mounted would become the storage.
async function linkedOnce(note: string, folder: string, workspaceId: WorkspaceId, nowMs: number): Promise<string> {
  const known = await readFileIfAny(note);
  if (known) return known.toString('utf8').trim();
  const id = await linkStorage(folder, workspaceId, { id: randomUUID(), nowMs });
  await writeFileAtomic(note, id);
  return id;
}

// Without it the customer's key alone opens nothing of what lies there.
async function leaveWrappedKey(file: string, folder: string, log: Logger): Promise<void> {
  const wrapped = await readFileIfAny(file);
  try {
    if (wrapped) await writeFileAtomic(join(folder, WRAPPED_KEY), wrapped);
  } catch (cause) {
    log.warn({ folder, reason: messageOf(cause) }, 'the wrapped key could not be laid beside the private storage; it is tried again at the next start');
  }
}

function keyIn(state: ReturnType<Awaited<ReturnType<typeof openWorkspaceKeys>>['current']>) {
  return state.available ? state.key : undefined;
}

async function openExport(
  { dataFolder, clock, log }: ExportingParts,
  { id: workspaceId }: HostedWorkspace,
  stage: Stage,
  own: { readonly export: NonNullable<WorkspaceSettings['export']>; readonly sealer: Sealer | undefined },
  parts: AsyncDisposableStack,
): Promise<Required<Pick<Outside, 'exporter'>> & Pick<Outside, 'continuous'>> {
  const { target, tables, everyMinutes, immutableFlag, seal } = own.export;
  const stateFolder = join(workspaceFolder(dataFolder, workspaceId), 'export');
  await makePrivateFolder(stateFolder);
  const source = createStageSource(stage);
  const exporter = createExporter({
    ...{ target, stateFolder, workspaceId, source, clock, log },
    signer: await ensureExportSigner(join(dataFolder, 'keys', `export-${workspaceId}.pem`), (message) => log.warn(message)),
    partBytes: partBytesOf(own.export),
    ...(seal === 'customer-key' ? { sealer: own.sealer } : {}),
    ...(immutableFlag ? { makeImmutable } : {}),
  });
  const run: Exporter['run'] = async (job) => {
    await source.refresh();
    return await exporter.run(job);
  };
  if (everyMinutes === 0) return { exporter: { run } };
  const wanted = tables === '*' ? {} : { tables };
  const continuous = startContinuousExport({ exporter: { run }, ...wanted, everyMs: everyMinutes * MINUTE_MS, clock, log });
  parts.defer(() => continuous.stop());
  return { exporter: { run }, continuous };
}
