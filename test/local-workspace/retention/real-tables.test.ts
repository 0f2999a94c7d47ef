// The same rules on tables of the engine: sealed segments on disk, by day.
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import type { KeptTables } from '../../../src/local-workspace/retention/kept-tables.ts';
import { compileFilters, onlyThrough } from '../../../src/local-workspace/retention/purge-filter.ts';
import { keptRows } from '../../../src/local-workspace/tables/kept-rows.ts';
import { purgeStep } from '../../../src/local-workspace/tables/purge.ts';
import { trim } from '../../../src/local-workspace/tables/trim.ts';
import { openWorkspaceTables, type WorkspaceTables } from '../../../src/local-workspace/tables/workspace-tables.ts';
import { eventually } from '../../support/eventually.ts';
import { BANK, temporaryFolder } from '../rig.ts';
import { DAY_MS, NOW, startRetention } from './rig.ts';

const COLUMNS = [
  { name: 'TimeGenerated', type: 'datetime' },
  { name: 'Person', type: 'string' },
  { name: 'Props', type: 'dynamic' },
] as const;

interface Row {
  readonly TimeGenerated: string;
  readonly Person: string;
  readonly Props?: object;
}

async function openTables(
  t: TestContext,
): Promise<{ folder: string; tables: WorkspaceTables; take(seq: number, receivedAt: number, rows: readonly Row[]): void }> {
  const folder = await temporaryFolder(t);
  const tables = openWorkspaceTables({ workspaceId: BANK, folder, sealerOf: fileSealers(createSecretKey(Buffer.alloc(32, 3)), BANK) });
  t.after(() => tables.close());
  const head = { kind: 'call', immutableId: 'dcr-1', stream: 'Custom-Door', table: 'Door_CL', columns: COLUMNS, clientId: 'c', requestId: 'r' } as const;
  return {
    folder,
    tables,
    take(seq, receivedAt, rows) {
      const body = Buffer.from(JSON.stringify(rows));
      tables.add({ seq, head: { ...head, receivedAt, encoding: 'identity', sha256: '', rawBytes: body.length, rows: rows.length }, body });
      tables.commit();
    },
  };
}

/** As the engine's thread does it. */
function keptTables(tables: WorkspaceTables): KeptTables {
  const done = new Map<string, Set<string>>();
  return {
    schemas: async () => tables.scanner.tables(),
    segments: async () => tables.segments(),
    lastSeq: () => tables.committedSeq(),
    trim: async ({ retention, otherwise, now }) => ({
      removed: trim(tables, (table) => retention[table] ?? otherwise, now).removed.reduce((sum, { rows }) => sum + rows, 0),
    }),
    cool: async () => ({ moved: 0 }),
    async purgeStep({ operationId, table, filters, throughSeq }) {
      const schema = tables.scanner.tables().find(({ name }) => name === table);
      if (!schema) return undefined;
      const looked = done.get(operationId) ?? new Set<string>();
      done.set(operationId, looked);
      const step = purgeStep(tables, table, onlyThrough(compileFilters(filters, schema), throughSeq), looked);
      if (step) looked.add(step.looked);
      return step && { removedRows: step.removedRows };
    },
    dropTable: async ({ table }) => {
      const gone = tables.segments().filter((segment) => segment.table === table);
      tables.replace(gone, [], table);
      return { removedRows: gone.reduce((sum, { rows }) => sum + rows, 0) };
    },
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function people(tables: WorkspaceTables): unknown[] {
  return keptRows(tables, { limit: 100, end: 'oldest' }).map(({ data }) => data['Person']);
}

test('a purge removes the rows that match, of all days, and those that came after its request stay', async (t) => {
  const { folder, tables, take } = await openTables(t);
  take(1, NOW, [
    { TimeGenerated: iso(NOW - DAY_MS), Person: 'JANE-DOE-SOUGHT', Props: { user: 'x' } },
    { TimeGenerated: iso(NOW - DAY_MS), Person: 'other' },
  ]);
  take(2, NOW, [
    { TimeGenerated: iso(NOW), Person: 'jane-doe-sought' },
    { TimeGenerated: iso(NOW), Person: 'third', Props: { user: 'jane' } },
  ]);
  const kept = keptTables(tables);
  const held: (() => void)[] = [];
  let isHeld = true;
  const purgeLater: KeptTables['purgeStep'] = async (order) => {
    if (isHeld) await new Promise<void>((resolve) => void held.push(resolve));
    isHeld = false;
    return await kept.purgeStep(order);
  };
  const rig = await startRetention(t, { tables: { ...kept, purgeStep: purgeLater } });
  const purge = async (filter: object): Promise<number> => {
    const { body, status } = await rig.ask('POST', '/purge', { table: 'Door_CL', filters: [filter] });
    assert.equal(status, 202, JSON.stringify(body));
    const { operationId } = body as { operationId: string };
    return await eventually('the purge', () => {
      const operation = rig.workspace.operations.find(operationId);
      return operation?.state === 'completed' && operation.removedRows;
    });
  };
  const sought = purge({ column: 'Person', operator: '=~', value: 'Jane-Doe-Sought' });
  await eventually('the request', () => held.length > 0);
  take(3, NOW, [{ TimeGenerated: iso(NOW), Person: 'jane-doe-sought' }]);
  for (const letGo of held.splice(0)) letGo();
  assert.deepEqual([await sought, people(tables)], [2, ['other', 'third', 'jane-doe-sought']]);

  assert.equal(await purge({ column: 'Props', key: 'user', operator: 'in', value: ['jane', 'x'] }), 1);
  assert.equal(await purge({ column: 'TimeGenerated', operator: '<', value: iso(NOW - 1) }), 1);
  assert.deepEqual(people(tables), ['jane-doe-sought']);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const { name, parentPath } of files) assert.ok(!(await readFile(join(parentPath, name))).includes('other'), name);
});

test('trimming removes whole days by the retention in force', async (t) => {
  const { tables, take } = await openTables(t);
  take(1, NOW - 40 * DAY_MS, [{ TimeGenerated: iso(NOW - 40 * DAY_MS), Person: 'old' }]);
  take(2, NOW, [{ TimeGenerated: iso(NOW), Person: 'new' }]);
  const { ask, clock, trimmed } = await startRetention(t, { tables: keptTables(tables) });
  assert.equal((await ask('PUT', '/tables/Door_CL', { properties: { retentionInDays: 60 } })).status, 200);
  clock.advance(60_000);
  await eventually('the first round', () => trimmed.length === 1 && clock.waits().length > 0);
  assert.deepEqual([trimmed, people(tables)], [[0], ['old', 'new']]);
  clock.advance(22 * DAY_MS);
  await eventually('the second round', () => trimmed.length === 2);
  assert.deepEqual([trimmed, people(tables)], [[0, 1], ['new']]);
});

test('a table that is deleted has no rows, and is none', async (t) => {
  const { tables, take } = await openTables(t);
  take(1, NOW, [{ TimeGenerated: iso(NOW), Person: 'jdoe' }]);
  const { ask, workspace } = await startRetention(t, { tables: keptTables(tables) });
  await ask('DELETE', '/tables/Door_CL?confirm=Door_CL');
  await eventually('the deletion', () => workspace.operations.open().length === 0);
  assert.deepEqual([people(tables), tables.segments(), (await ask('GET', '/tables')).body], [[], [], { value: [] }]);
});
