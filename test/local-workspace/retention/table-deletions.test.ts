import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShownTable } from '../../../src/local-workspace/retention/shown-retention.ts';
import { eventually } from '../../support/eventually.ts';
import { BANK, temporaryFolder } from '../rig.ts';
import { createFakeTables, errorOf, type Rig, startRetention } from './rig.ts';

const PURGE = { table: 'Door_CL', filters: [{ column: 'Person', operator: '==', value: 'jdoe' }] };

async function allDone({ workspace }: Rig): Promise<void> {
  await eventually('all operations are completed', () => workspace.operations.open().length === 0);
}

test('a custom table is deleted once its name is given again, and its retention goes with it', async (t) => {
  const tables = createFakeTables();
  const rig = await startRetention(t, { tables });
  await rig.ask('PUT', '/tables/Door_CL', { properties: { retentionInDays: 400 } });
  const taken = await rig.ask('DELETE', '/tables/Door_CL?confirm=Door_CL');
  const { operationId } = taken.body as { operationId: string };
  assert.equal(taken.status, 202);
  assert.equal(taken.headers['x-ms-status-location'], `/workspaces/${BANK}/operations/${operationId}`);
  await allDone(rig);
  assert.deepEqual(tables.dropped, ['Door_CL']);
  assert.equal(rig.workspace.operations.find(operationId)?.removedRows, 30);
  assert.equal(((await rig.ask('GET', '/tables/Door_CL')).body as ShownTable).properties.retentionInDays, 31);
  assert.deepEqual(
    rig.entries.map(({ action }) => action),
    ['retention.change', 'table.delete', 'table.delete-complete'],
  );
  assert.deepEqual(rig.events.map(({ kind }) => kind).slice(1), ['table-deletion-requested', 'table-deleted']);
});

test('a table of the service, a table that is not there, a name that was not given again and a weak role are refused', async (t) => {
  const tables = createFakeTables();
  const { ask, workspace } = await startRetention(t, { tables });
  for (const [path, status, words] of [
    ['/tables/Syslog?confirm=Syslog', 400, /Syslog is a table of the service: only custom tables, whose names end with _CL, can be deleted/],
    ['/tables/Nowhere_CL?confirm=Nowhere_CL', 404, /has no table "Nowhere_CL"/],
    ['/tables/Door_CL', 400, /send the same with \?confirm=Door_CL/],
    ['/tables/Door_CL?confirm=door_cl', 400, /send the same with \?confirm=Door_CL/],
    ['/tables/Door_CL?confirm=Door_CL&confirm=Door_CL', 400, /send the same with/],
  ] as const) {
    const answered = await ask('DELETE', path);
    assert.equal(answered.status, status, path);
    assert.match(errorOf(answered).message, words);
  }
  for (const role of ['reader', 'contributor', 'data-purger'] as const)
    assert.equal((await ask('DELETE', '/tables/Door_CL?confirm=Door_CL', undefined, role)).status, 403);
  assert.deepEqual([tables.dropped, workspace.operations.open()], [[], []]);
});

test('a deletion that the end of the process cut off is done at the next start, and asked for twice it is one', async (t) => {
  const [folder, tables] = [await temporaryFolder(t), createFakeTables()];
  tables.lives = 0;
  const first = await startRetention(t, { folder, tables });
  const [one, other] = [await first.ask('DELETE', '/tables/Door_CL?confirm=Door_CL'), await first.ask('DELETE', '/tables/Door_CL?confirm=Door_CL')];
  assert.deepEqual(one.body, other.body);
  await eventually('the engine died', () => tables.lives < 0);
  await first.close();
  tables.lives = Number.POSITIVE_INFINITY;
  await allDone(await startRetention(t, { folder, tables }));
  assert.deepEqual(tables.dropped, ['Door_CL']);
});

test('purges of a table that were requested before its deletion are completed with it', async (t) => {
  const tables = createFakeTables();
  tables.purgeStep = async () => {
    throw new Error('the disk does not answer');
  };
  const rig = await startRetention(t, { tables });
  const { operationId } = (await rig.ask('POST', '/purge', PURGE)).body as { operationId: string };
  await rig.ask('DELETE', '/tables/Door_CL?confirm=Door_CL');
  await allDone(rig);
  const purge = rig.workspace.operations.find(operationId);
  assert.deepEqual([purge?.state, purge?.filters], ['completed', undefined]);
});
