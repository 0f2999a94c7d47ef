/** Deletion of whole tables, with their rows. As in the service only custom tables can be deleted. */
import type { EnterAudit } from '../../audit/entry.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type Actor, auditActor, nameOf } from '../access/actor.ts';
import { badArgument } from '../access/refusals.ts';
import type { KeptTables } from './kept-tables.ts';
import type { OperationStore } from './operation-store.ts';
import type { OnRetentionEvent } from './retention-event.ts';
import { noTable, type Ordered } from './retention-refusals.ts';
import type { WorkspaceLock } from './workspace-lock.ts';

const CUSTOM = /_CL$/;

export interface TableDeletions {
  /** The id of the operation, once it is durable. `confirm` must be the table's name again. */
  request(actor: Actor, table: string, confirm: string | undefined): Promise<Ordered<string>>;
}

export interface TableDeletionsParts {
  readonly workspaceId: WorkspaceId;
  readonly store: OperationStore;
  readonly lock: WorkspaceLock;
  readonly tables: Pick<KeptTables, 'schemas' | 'lastSeq'>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly enter: EnterAudit;
  readonly onEvent: OnRetentionEvent;
  /** Called once there is something to do. */
  readonly onRequested: () => void;
}

export function createTableDeletions(parts: TableDeletionsParts): TableDeletions {
  const { workspaceId, store, lock, tables, now, newId, enter, onEvent, onRequested } = parts;

  const add = (actor: Actor, table: string): string => {
    const id = `delete-${newId()}`;
    const requestedAt = now();
    store.add({ id, kind: 'delete-table', table, filters: undefined, upToSeq: tables.lastSeq(), requestedAt, by: actor });
    enter({ actor: auditActor(actor), action: 'table.delete', on: `${workspaceId} table ${table}`, from: actor.from, result: 'done', detail: id });
    onEvent({ kind: 'table-deletion-requested', workspaceId, at: requestedAt, by: nameOf(actor), operationId: id, table });
    onRequested();
    return id;
  };

  return {
    async request(actor, table, confirm) {
      const known = (await tables.schemas()).some(({ name }) => name === table);
      // Nothing is waited for from here on: what is found holds until the request is recorded.
      const locked = lock.refusalOf(actor, 'table.delete', `table ${known ? table : 'that is not there'}`);
      if (locked) return locked;
      if (!known) return { ok: false, refusal: noTable(table) };
      if (!CUSTOM.test(table)) return { ok: false, refusal: badArgument(builtIn(table)) };
      if (confirm !== table)
        return { ok: false, refusal: badArgument(`This deletes all rows of ${table} for good. To have it, send the same with ?confirm=${table}.`) };
      const under = store.open().find((one) => one.kind === 'delete-table' && one.table === table);
      return { ok: true, value: under?.id ?? add(actor, table) };
    },
  };
}

function builtIn(table: string): string {
  return `${table} is a table of the service: only custom tables, whose names end with _CL, can be deleted. Purge its rows, or set its retention.`;
}
