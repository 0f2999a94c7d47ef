/** What decides how long one workspace's rows are kept, and what removes them sooner: retention, purges, table deletion, and the lock on all of it. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { EnterAudit } from '../../audit/entry.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { auditActor, nameOf, SYSTEM } from '../access/actor.ts';
import type { FileSealer } from '../tables/file-sealer.ts';
import { createChangeStore } from './change-store.ts';
import type { KeptTables } from './kept-tables.ts';
import { createLockStore } from './lock-store.ts';
import { createOperationRunner, type OperationRunnerParts, type Step } from './operation-runner.ts';
import { createOperationStore, type Operation, type OperationStore } from './operation-store.ts';
import { createPurges, type Purges, purgeOrderOf } from './purges.ts';
import { createRetentionChanges, type RetentionChanges } from './retention-changes.ts';
import { prepareRetentionTables } from './retention-database.ts';
import type { OnRetentionEvent } from './retention-event.ts';
import { retentionByTable } from './retention-policy.ts';
import type { RetentionSettings } from './retention-settings.ts';
import { createTableDeletions, type TableDeletions } from './table-deletions.ts';
import { startTrimming } from './trimming.ts';
import { createWorkspaceLock, type WorkspaceLock } from './workspace-lock.ts';

export interface WorkspaceRetentionParts {
  readonly workspaceId: WorkspaceId;
  /** Open for writing, with `synchronous = FULL`; it stays the caller's. */
  readonly database: DatabaseSync;
  readonly settings: RetentionSettings;
  /** Whether there is a fast disk to move rows off. */
  readonly hasHotFolder: boolean;
  readonly tables: KeptTables;
  /** Seals what purges look for. It may throw while the workspace's key is not there. */
  readonly sealer: FileSealer;
  readonly enter: EnterAudit;
  readonly onEvent?: OnRetentionEvent | undefined;
  /** Told after each round how many rows were past their retention and left. */
  readonly onTrimmed?: ((rows: number) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** GUIDs; random unless given. */
  readonly newId?: (() => string) | undefined;
}

export interface WorkspaceRetention {
  readonly settings: RetentionSettings;
  readonly tables: Pick<KeptTables, 'schemas'>;
  readonly lock: WorkspaceLock;
  readonly changes: RetentionChanges;
  readonly purges: Purges;
  readonly deletions: TableDeletions;
  readonly operations: Pick<OperationStore, 'find' | 'open'>;
  /** Ends the rounds and waits for the step under way; operations go on at the next start. */
  close(): Promise<void>;
}

/** Opens it, goes on with the operations that are not completed, and starts the rounds that trim. */
export function openWorkspaceRetention(parts: WorkspaceRetentionParts): WorkspaceRetention {
  const { workspaceId, database, settings, hasHotFolder, tables, clock, log, enter, onEvent = () => {}, onTrimmed = () => {}, newId = randomUUID } = parts;
  prepareRetentionTables(database);
  const operations = createOperationStore(database, workspaceId);
  const common = { workspaceId, now: clock.now, enter, onEvent };
  const onLifted = (): void => {
    changes.adoptSettings();
    runner.wake();
  };
  const lock = createWorkspaceLock({ ...common, store: createLockStore(database, workspaceId), onLifted });
  const changes = createRetentionChanges({ ...common, settings, store: createChangeStore(database, workspaceId), lock, tables, log });
  const onCompleted = completer({ ...common, operations, changes });
  const runner = createOperationRunner({ workspaceId, store: operations, isLocked: lock.isLocked, stepsOf: stepsFor(parts), onCompleted, clock, log });
  const ordered = { ...common, store: operations, lock, tables, newId, onRequested: runner.wake };
  const retentionAt = (now: number): ReturnType<typeof retentionByTable> => retentionByTable(changes.policy(), now);
  const hotDays = hasHotFolder ? settings.hotDays : undefined;
  changes.adoptSettings();
  const stopTrimming = startTrimming({ workspaceId, tables, retentionAt, hotDays, onTrimmed, clock, log });
  runner.wake();
  return {
    settings,
    tables,
    lock,
    changes,
    purges: createPurges({ ...ordered, sealer: parts.sealer }),
    deletions: createTableDeletions(ordered),
    operations,
    async close() {
      stopTrimming();
      await runner.stop();
    },
  };
}

function stepsFor({ tables, sealer }: WorkspaceRetentionParts): OperationRunnerParts['stepsOf'] {
  return (operation) => {
    if (operation.kind === 'purge') {
      const order = purgeOrderOf(operation, sealer);
      return () => tables.purgeStep(order);
    }
    const { table, upToSeq: throughSeq } = operation;
    const drops = [(): Promise<Step> => tables.dropTable({ table, throughSeq })];
    return async () => await drops.pop()?.();
  };
}

interface CompleterParts {
  readonly workspaceId: WorkspaceId;
  readonly operations: OperationStore;
  readonly changes: RetentionChanges;
  readonly now: () => number;
  readonly enter: EnterAudit;
  readonly onEvent: OnRetentionEvent;
}

function completer({ workspaceId, operations, changes, now, enter, onEvent }: CompleterParts): (operation: Operation) => void {
  const told = ({ id, kind, table, by, removedRows }: Operation): void => {
    const action = kind === 'purge' ? 'purge.complete' : 'table.delete-complete';
    const detail = `${id}, requested by ${nameOf(by)}: ${removedRows} rows`;
    enter({ actor: auditActor(SYSTEM), action, on: `${workspaceId} table ${table}`, from: SYSTEM.name, result: 'done', detail });
    const event = { workspaceId, at: now(), by: nameOf(by), operationId: id, table, removedRows };
    onEvent({ ...event, kind: kind === 'purge' ? 'purge-completed' : 'table-deleted' });
  };

  return (operation) => {
    if (operation.kind === 'delete-table') {
      changes.tableDeleted(operation.table);
      // What these were to remove went with the table.
      const open = operations.open();
      const older = open.slice(
        0,
        Math.max(
          0,
          open.findIndex(({ id }) => id === operation.id),
        ),
      );
      for (const one of older.filter(({ table }) => table === operation.table)) {
        told(one);
        operations.complete(one.id, now());
      }
    }
    told(operation);
  };
}
