/** Opens one workspace with all that lies on its files. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { createReplicating, type ReplicaEvent } from './assembly/replicating.ts';
import type { EngineClient } from './engine/engine-client.ts';
import type { EngineEvent } from './engine/operations.ts';
import type { HostedWorkspace } from './hosted-workspace.ts';
import { openAuthorities } from './intake/authorities.ts';
import { openCertificates } from './intake/certificates.ts';
import { databasePath, openDatabase, workspaceFolder } from './intake/database.ts';
import { createTableReader } from './intake/ingestion/table-reader.ts';
import { tableRows } from './intake/ingestion/table-rows.ts';
import { createTableSink } from './intake/ingestion/table-sink.ts';
import { createTableStore } from './intake/ingestion/table-store.ts';
import { createReceiptReader } from './intake/receipt-reader.ts';
import { createReceipts } from './intake/receipts.ts';
import { createSink } from './intake/sink.ts';
import { createStore } from './intake/store.ts';
import { createStoredRecords } from './intake/stored-records.ts';
import { readWorkspaceKey } from './intake/workspace-key.ts';
import { fileSealers } from './keys/file-sealers.ts';
import type { KeyEvent } from './keys/key-event.ts';
import type { KeyProvider } from './keys/key-provider.ts';
import { keyRefusal } from './keys/key-refusal.ts';
import type { KeysSettings } from './keys/keys-settings.ts';
import { openWorkspaceKeys, type WorkspaceKeys } from './keys/workspace-keys.ts';
import { checkMayWrite } from './replica/marks.ts';
import type { ReplicaSettings } from './replica/settings.ts';
import { adoptCopies } from './replica/workspace/adopt.ts';
import { openStage, type Stage } from './staging/stage.ts';
import type { FileSealer, SealerOf } from './tables/file-sealer.ts';

const MAX_BACKLOG_BYTES = 16 * 1024 * 1024 * 1024;

export interface OpenWorkspaceParts {
  readonly dataFolder: string;
  readonly id: WorkspaceId;
  /** The workspace's shared key, in base64. */
  readonly key: string;
  readonly provider: KeyProvider;
  readonly otherProviders?: readonly KeyProvider[];
  readonly keys: Pick<KeysSettings, 'rotateEvery' | 'checkEvery'>;
  readonly engine: EngineClient;
  readonly hotFolder?: string | undefined;
  readonly replica?: ReplicaSettings | undefined;
  readonly onReplicaEvent?: ((event: ReplicaEvent) => void) | undefined;
  readonly onKeyEvent?: ((event: KeyEvent) => void) | undefined;
  readonly onEngineEvent?: ((event: EngineEvent) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Opens a workspace that keeps what it takes. Throws `relay.local-workspace.bad-key`, `….database-unusable`, `….key-unavailable` for a fresh one, and
 * `….superseded` or `….take-over-unfinished` for one that must not be written.
 */
export async function openWorkspace(parts: OpenWorkspaceParts): Promise<HostedWorkspace> {
  const { dataFolder, id, engine, clock, log } = parts;
  const keys = [{ id: 'shared-key', key: readWorkspaceKey(parts.key) }];
  const hotFolder = parts.hotFolder && join(parts.hotFolder, id);
  await using opened = new AsyncDisposableStack();
  const folder = workspaceFolder(dataFolder, id);
  const register = databasePath(dataFolder, id);
  await checkMayWrite(folder);
  await adoptCopies(folder, register);
  const database = opened.adopt(await openDatabase(dataFolder, id), (open) => open.close());
  const receiptsDatabase = opened.adopt(await openDatabase(dataFolder, id), (open) => open.close());
  await makePrivateFolder(folder);
  const dataKey = await openWorkspaceKeys({
    workspaceId: id,
    folder,
    isFresh: !existsSync(join(folder, 'catalogue.sqlite')),
    provider: parts.provider,
    others: parts.otherProviders ?? [],
    settings: parts.keys,
    clock,
    log,
    ...(parts.onKeyEvent ? { onEvent: parts.onKeyEvent } : {}),
  });
  opened.defer(() => dataKey.close());
  const replicating = parts.replica && createReplicating({ ...parts, folder, hotFolder, settings: parts.replica, register, registrations: database });
  // After the stage, so that what it writes last is copied.
  opened.defer(() => replicating?.close());
  const written = createReceipts(receiptsDatabase, id);
  const stage = await openStage({
    ...{ workspaceId: id, folder, keys: dataKey, engine, clock, log },
    receipts: written,
    maxBacklogBytes: MAX_BACKLOG_BYTES,
    hotFolder,
    copy: replicating?.copy,
    onEvent: parts.onEngineEvent,
  });
  opened.defer(() => stage.close());
  await replicating?.start();
  const receipts = { ...createReceiptReader(database, id), hasRestored: written.hasRestored };
  const tableReader = createTableReader(database, id);
  const closing = opened.move();
  return {
    ...{ id, keys, receipts, tableReader, stage, dataKey, register: database, replica: replicating },
    sealerOf: sealersWhile(dataKey, id),
    certificates: openCertificates(database),
    authorities: openAuthorities(database),
    intake: createStore(stage, receipts),
    records: createStoredRecords(stage, receipts, id),
    tables: createTableStore(stage, tableReader),
    rows: (filter) => tableRows(stage, filter),
    close: () => closing.disposeAsync(),
  };
}

/** Opens a workspace that counts data in memory instead of keeping it. Throws as `openWorkspace`. */
export async function openSink({ dataFolder, id, key }: Pick<OpenWorkspaceParts, 'dataFolder' | 'id' | 'key'>): Promise<HostedWorkspace> {
  const keys = [{ id: 'shared-key', key: readWorkspaceKey(key) }];
  const database = await openDatabase(dataFolder, id);
  const nothing = (): Promise<[]> => Promise.resolve([]);
  const stage: Stage | undefined = undefined;
  return {
    ...{ id, keys, stage, dataKey: undefined, register: database },
    sealerOf: () => ({ seal: keepsNothing, open: keepsNothing }),
    certificates: openCertificates(database),
    authorities: openAuthorities(database),
    intake: createSink(id),
    receipts: { ...createReceiptReader(database, id), hasRestored: () => false },
    records: { newest: nothing, following: nothing },
    tables: createTableSink(id),
    tableReader: createTableReader(database, id),
    rows: nothing,
    close: () => Promise.resolve(database.close()),
  };
}

// Nothing is derived from the key for longer than a moment.
function sealersWhile(dataKey: Pick<WorkspaceKeys, 'current'>, id: WorkspaceId): SealerOf {
  return (file) => {
    const own = (): FileSealer => {
      const state = dataKey.current();
      if (!state.available) throw keyRefusal(id, state);
      return fileSealers(state.key, id)(file);
    };
    return { seal: (place, plain) => own().seal(place, plain), open: (place, sealed) => own().open(place, sealed) };
  };
}

function keepsNothing(): never {
  throw new RelayError('relay.local-workspace.keeps-nothing', 'This workspace only counts what comes. Start it without --sink to keep data.');
}
