import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RelayError } from '../../../src/errors.ts';
import type { Operation } from '../../../src/local-workspace/retention/operation-store.ts';
import { purgeRetryAfterS } from '../../../src/local-workspace/retention/purge-rate.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { BANK, temporaryFolder } from '../rig.ts';
import { createFakeTables, errorOf, NOW, type Rig, SEALER, startRetention } from './rig.ts';

const MARKER = 'MARKER-jane-doe';
const REQUEST = { table: 'Door_CL', filters: [{ column: 'Person', operator: '==', value: MARKER }] };

async function requested({ ask }: Rig): Promise<string> {
  return ((await ask('POST', '/purge', REQUEST, 'data-purger')).body as { operationId: string }).operationId;
}

function completed({ workspace }: Rig, id: string): Promise<Operation> {
  return eventually(`${id} is completed`, () => {
    const operation = workspace.operations.find(id);
    return operation?.state === 'completed' && operation;
  });
}

test('a purge is taken with 202 as the service takes it, worked, and completed', async (t) => {
  const tables = createFakeTables();
  tables.seq = 4_711;
  const rig = await startRetention(t, { tables });
  const taken = await rig.ask('POST', '/purge', REQUEST, 'data-purger');
  const { operationId, note } = taken.body as { operationId: string; note: string };
  assert.equal(taken.status, 202);
  assert.match(operationId, /^purge-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.match(note, /exported keeps them/);
  assert.equal(taken.headers['x-ms-status-location'], `/workspaces/${BANK}/operations/${operationId}`);
  const { removedRows } = await completed(rig, operationId);
  assert.equal(removedRows, 15);
  assert.deepEqual(tables.orders[0], { operationId, table: 'Door_CL', filters: REQUEST.filters, throughSeq: 4_711 });

  const told = {
    status: 'completed',
    table: 'Door_CL',
    requestedAt: '2026-11-29T12:00:00.000Z',
    requestedBy: 'token olga (aaaaaaaaaaaa)',
    completedAt: '2026-11-29T12:00:00.000Z',
  };
  assert.deepEqual((await rig.ask('GET', `/operations/${operationId}`, undefined, 'data-purger')).body, told);
  assert.deepEqual((await rig.ask('GET', `/operations/${operationId}`)).body, { ...told, removedRows: 15 });
  assert.equal((await rig.ask('GET', '/operations/purge-other')).status, 404);
  assert.equal((await rig.ask('GET', `/operations/${operationId}`, undefined, 'reader')).status, 403);
});

test('columns and operators are entered, and no value', async (t) => {
  const rig = await startRetention(t);
  const id = await requested(rig);
  await completed(rig, id);
  assert.deepEqual(
    rig.entries.map(({ actor, action, on, detail }) => [actor.name, action, on, detail]),
    [
      ['olga (aaaaaaaaaaaa)', 'purge.request', `${BANK} table Door_CL`, `${id}: Person ==`],
      ['local-workspace', 'purge.complete', `${BANK} table Door_CL`, `${id}, requested by token olga (aaaaaaaaaaaa): 15 rows`],
    ],
  );
  assert.deepEqual(
    rig.events.map(({ kind }) => kind),
    ['purge-requested', 'purge-completed'],
  );
  assert.ok(!JSON.stringify([rig.entries, rig.events]).includes('MARKER'));
});

test('what is no purge is refused with words, and without the value', async (t) => {
  const { ask, workspace } = await startRetention(t);
  const filter = REQUEST.filters[0];
  const cases: readonly [payload: object, words: RegExp][] = [
    [{ ...REQUEST, table: 'Doors_CL' }, /has no table "Doors_CL"/],
    [{ ...REQUEST, filters: [] }, /filters: must have at least one; a whole table is deleted with DELETE/],
    [{ table: 'Door_CL' }, /filters/],
    [{ ...REQUEST, filters: [{ ...filter, column: 'Persons' }] }, /has no column "Persons"/],
    [{ ...REQUEST, filters: [{ ...filter, operator: '!=' }] }, /filters\.0\.operator/],
    [{ ...REQUEST, filters: [{ ...filter, value: { MARKER } }] }, /filters\.0\.value/],
    [{ ...REQUEST, filters: [{ ...filter, operator: '>' }] }, /knows no operator >/],
    [{ ...REQUEST, filters: Array.from({ length: 21 }, () => filter) }, /filters/],
  ];
  for (const [payload, words] of cases) {
    const answered = await ask('POST', '/purge', payload);
    assert.deepEqual([answered.status, errorOf(answered).code], [400, 'BadArgumentError'], JSON.stringify(payload));
    assert.match(errorOf(answered).message, words);
    assert.ok(!errorOf(answered).message.includes('MARKER'));
  }
  assert.equal((await ask('POST', '/purge', REQUEST, 'contributor')).status, 403);
  assert.deepEqual(workspace.operations.open(), []);
});

test('the 51st purge in an hour is refused until the first is an hour old, over a restart too', async (t) => {
  const [folder, clock] = [await temporaryFolder(t), createManualClock(NOW)];
  const first = await startRetention(t, { folder, clock, tables: createFakeTables(0) });
  for (let count = 0; count < 50; count += 1) {
    assert.equal((await first.ask('POST', '/purge', REQUEST)).status, 202, `purge ${count + 1}`);
    clock.advance(1_000);
  }
  await first.close();
  const second = await startRetention(t, { folder, clock, tables: createFakeTables(0) });
  const refused = await second.ask('POST', '/purge', REQUEST);
  assert.deepEqual([refused.status, errorOf(refused).code, refused.headers['retry-after']], [429, 'TooManyRequests', '3550']);
  assert.equal(second.entries.at(-1)?.result, 'refused');
  clock.advance(3_549_999);
  assert.deepEqual([(await second.ask('POST', '/purge', REQUEST)).headers['retry-after']], ['1']);
  clock.advance(1);
  assert.equal((await second.ask('POST', '/purge', REQUEST)).status, 202);
});

test('how long to wait is a matter of the fiftieth request back', () => {
  const requests = (count: number, from: number): number[] => Array.from({ length: count }, (_, at) => from + at);
  const cases: readonly [requestedAt: readonly number[], now: number, seconds: number][] = [
    [[], 0, 0],
    [requests(49, 0), 100, 0],
    [requests(50, 0), 100, 3_600],
    [requests(50, 0), 3_599_999, 1],
    [requests(50, 0), 3_600_000, 0],
    [requests(51, 0), 3_600_000, 1],
  ];
  for (const [requestedAt, now, seconds] of cases) assert.equal(purgeRetryAfterS(requestedAt, now), seconds);
});

test('nothing that a purge looks for lies in the clear on disk, before and after it is completed', async (t) => {
  const tables = createFakeTables();
  tables.lives = 0;
  const rig = await startRetention(t, { tables });
  const id = await requested(rig);
  const onDisk = async (): Promise<Buffer> => Buffer.concat(await Promise.all((await readdir(rig.folder)).map((name) => readFile(join(rig.folder, name)))));
  assert.ok((await onDisk()).includes(id));
  for (const text of [MARKER, 'Person']) assert.ok(!(await onDisk()).includes(text), text);
  assert.ok(rig.workspace.operations.find(id)?.filters);
  tables.lives = Number.POSITIVE_INFINITY;
  rig.clock.advance(5_000);
  assert.equal((await completed(rig, id)).filters, undefined);
  assert.ok(!(await onDisk()).includes(MARKER));
});

test('filters that were put with another purge do not open: nothing is removed', async (t) => {
  const tables = createFakeTables();
  const sealed = SEALER.seal('filters of purge-other', Buffer.from('[]'));
  const rig = await startRetention(t, { tables, sealer: { ...SEALER, seal: () => sealed } });
  const id = await requested(rig);
  rig.clock.advance(600_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(rig.workspace.operations.find(id)?.state, 'running');
  assert.deepEqual(tables.orders, []);
});

test('a purge goes on after the process ended anywhere in it, and is completed once', async (t) => {
  const STEPS = 4;
  for (let lives = 0; lives <= STEPS; lives += 1) {
    const [folder, tables] = [await temporaryFolder(t), createFakeTables(STEPS)];
    tables.lives = lives;
    const first = await startRetention(t, { folder, tables });
    const id = await requested(first);
    await eventually('the engine died', () => tables.lives < 0);
    await first.close();
    tables.lives = Number.POSITIVE_INFINITY;
    const second = await startRetention(t, { folder, tables });
    assert.equal((await completed(second, id)).removedRows, STEPS * 5, `after ${lives} steps`);
    assert.deepEqual(
      second.entries.map(({ action }) => action),
      ['purge.complete'],
    );
    assert.ok(tables.orders.every(({ filters }) => filters[0]?.value === MARKER));
  }
});

test('a purge that fails is tried again after 5 s, then after twice as long, 5 minutes at most; others go on meanwhile', async (t) => {
  const tables = createFakeTables();
  const step = tables.purgeStep;
  let failing: string | undefined;
  let tries = 0;
  tables.purgeStep = async (order) => {
    failing ??= order.operationId;
    if (order.operationId !== failing) return await step(order);
    tries += 1;
    throw new RelayError('relay.local-workspace.tables-closed', 'closed');
  };
  const rig = await startRetention(t, { tables });
  // The first round of trimming is over: what waits longest is the next.
  rig.clock.advance(60_000);
  const [first, second] = [await requested(rig), await requested(rig)];
  await completed(rig, second);
  assert.equal(failing, first);
  const waits: number[] = [];
  for (let round = 1; round <= 9; round += 1) {
    await eventually(`try ${round}`, () => tries === round && rig.clock.waits().length > 1);
    const [wait = 0] = rig.clock.waits();
    waits.push(wait);
    rig.clock.advance(wait);
  }
  assert.deepEqual(waits.slice(0, 7), [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000]);
  failing = 'none';
  await eventually('the wait', () => rig.clock.waits().length > 1);
  rig.clock.advance(300_000);
  assert.equal((await completed(rig, first)).removedRows, 15);
});

test('without the key a purge is refused with 503 and the reason', async (t) => {
  const away = new RelayError('relay.local-workspace.key-away', 'The key of the workspace is not there. Give it back.');
  const seal = (): Buffer => {
    throw away;
  };
  const { ask } = await startRetention(t, { sealer: { ...SEALER, seal } });
  const answered = await ask('POST', '/purge', REQUEST);
  assert.deepEqual([answered.status, errorOf(answered)], [503, { code: 'ServiceUnavailableError', message: away.message }]);
});
