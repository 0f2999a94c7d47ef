/**
 * Purges: rows that match go for good. A request is on disk before it is answered, its filters sealed, and cannot be cancelled.
 * A purge reaches rows that were received before its request, and nothing that was exported.
 */
import type { EnterAudit } from '../../audit/entry.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type Actor, auditActor, nameOf } from '../access/actor.ts';
import { badArgument } from '../access/refusals.ts';
import type { FileSealer } from '../tables/file-sealer.ts';
import type { KeptTables, PurgeOrder } from './kept-tables.ts';
import type { Operation, OperationStore } from './operation-store.ts';
import { readFilters } from './purge-filter.ts';
import { PURGE_RATE_MS, PURGES_PER_HOUR, purgeRetryAfterS } from './purge-rate.ts';
import type { PurgeFilter, PurgeRequest } from './purge-request.ts';
import type { OnRetentionEvent } from './retention-event.ts';
import { noTable, type Ordered, type RetentionRefusal, tooManyPurges } from './retention-refusals.ts';
import type { WorkspaceLock } from './workspace-lock.ts';

export interface Purges {
  /** The id of the operation, once it is durable. */
  request(actor: Actor, asked: PurgeRequest): Promise<Ordered<string>>;
}

export interface PurgesParts {
  readonly workspaceId: WorkspaceId;
  readonly store: OperationStore;
  readonly lock: WorkspaceLock;
  readonly tables: Pick<KeptTables, 'schemas' | 'lastSeq'>;
  /** Of the filters; each is sealed for its operation. */
  readonly sealer: FileSealer;
  readonly now: () => number;
  readonly newId: () => string;
  readonly enter: EnterAudit;
  readonly onEvent: OnRetentionEvent;
  /** Called once there is something to do. */
  readonly onRequested: () => void;
}

export function createPurges(parts: PurgesParts): Purges {
  const { workspaceId, store, lock, tables, sealer, now, newId, enter, onEvent, onRequested } = parts;

  const audit = (actor: Actor, table: string, result: 'done' | 'refused', detail: string): void => {
    enter({ actor: auditActor(actor), action: 'purge.request', on: `${workspaceId} table ${table}`, from: actor.from, result, detail });
  };

  const tooMany = (): RetentionRefusal | undefined => {
    const at = now();
    const retryAfterS = purgeRetryAfterS(store.purgesBetween(at - PURGE_RATE_MS, at), at);
    return retryAfterS === 0 ? undefined : tooManyPurges(PURGES_PER_HOUR, retryAfterS);
  };

  const add = (actor: Actor, { table, filters }: PurgeRequest): string => {
    const id = `purge-${newId()}`;
    const requestedAt = now();
    const sealed = sealer.seal(placeOf(id), Buffer.from(JSON.stringify(filters)));
    store.add({ id, kind: 'purge', table, filters: sealed, upToSeq: tables.lastSeq(), requestedAt, by: actor });
    audit(actor, table, 'done', `${id}: ${filters.map(({ column, operator }) => `${column} ${operator}`).join(', ')}`);
    onEvent({ kind: 'purge-requested', workspaceId, at: requestedAt, by: nameOf(actor), operationId: id, table });
    onRequested();
    return id;
  };

  return {
    async request(actor, asked) {
      const schema = (await tables.schemas()).find(({ name }) => name === asked.table);
      // Nothing is waited for from here on: what is found holds until the request is recorded.
      const locked = lock.refusalOf(actor, 'purge.request', `table ${schema?.name ?? 'that is not there'}`);
      if (locked) return locked;
      if (!schema) return { ok: false, refusal: badArgument(noTable(asked.table).message) };
      const read = readFilters(asked.filters, schema);
      if (!read.ok) return { ok: false, refusal: badArgument(read.problem) };
      const refusal = tooMany();
      if (!refusal) return { ok: true, value: add(actor, asked) };
      audit(actor, schema.name, 'refused', refusal.message);
      return { ok: false, refusal };
    },
  };
}

/** What is to be done for a purge. Throws what `sealer` throws, such as when the workspace's key is not there. */
export function purgeOrderOf({ id, table, filters, upToSeq }: Operation, sealer: FileSealer): PurgeOrder {
  const opened = sealer.open(placeOf(id), filters ?? Buffer.alloc(0)).toString('utf8');
  return { operationId: id, table, filters: JSON.parse(opened) as PurgeFilter[], throughSeq: upToSeq };
}

function placeOf(id: string): string {
  return `filters of ${id}`;
}
