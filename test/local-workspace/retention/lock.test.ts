import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../../../src/local-workspace/access/rights.ts';
import type { ShownTable, ShownWorkspace } from '../../../src/local-workspace/retention/shown-retention.ts';
import type { ShownLock } from '../../../src/local-workspace/retention/workspace-lock.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { BANK, temporaryFolder } from '../rig.ts';
import { createFakeTables, DAY_MS, errorOf, NOW, startRetention } from './rig.ts';

const REASON = { reason: 'case 4711' };
const FILTERS = [{ column: 'Person', operator: '==', value: 'jdoe' }];
const days = (retentionInDays: number): object => ({ properties: { retentionInDays }, confirm: true });

/** Everything that a lock forbids. */
const FORBIDDEN: readonly [method: string, path: string, payload?: object][] = [
  ['POST', '/purge', { table: 'Door_CL', filters: FILTERS }],
  ['POST', '/purge', { table: 'Nowhere', filters: FILTERS }],
  ['DELETE', '/tables/Door_CL?confirm=Door_CL'],
  ['DELETE', '/tables/Nowhere_CL?confirm=Nowhere_CL'],
  ['PUT', '/tables/Door_CL', days(4)],
  ['PATCH', '/tables/Door_CL', days(700)],
  ['PATCH', '/tables/Door_CL', days(-1)],
  ['PATCH', '', days(4)],
  ['PATCH', '', days(700)],
  ['DELETE', '/tables/Syslog/pendingRetention'],
  ['DELETE', '/pendingRetention'],
];

test('while a workspace is locked each call that it forbids is refused, told and entered, and changes nothing', async (t) => {
  const tables = createFakeTables();
  const { ask, entries, events, workspace } = await startRetention(t, { tables });
  await ask('PUT', '/tables/Syslog', days(10));
  const { changes } = workspace.changes.policy();
  assert.equal((await ask('POST', '/lock', REASON)).status, 200);
  for (const [method, path, payload] of FORBIDDEN) {
    entries.length = 0;
    const answered = await ask(method, path, payload);
    const { code, message } = errorOf(answered);
    assert.deepEqual([answered.status, code], [409, 'ScopeLocked'], `${method} ${path}`);
    assert.equal(
      message,
      `Workspace ${BANK} has been locked since 2026-11-29T12:00:00.000Z by token olga (aaaaaaaaaaaa): "case 4711". Nothing of it is purged or deleted, and its retention stays. ` +
        'Who may do "lock.lift" can lift the lock: relay local-workspace lock lift, or DELETE on …/lock, with a reason.',
    );
    assert.deepEqual(
      entries.map(({ result, on }) => [result, on.startsWith(BANK)]),
      [['refused', true]],
      `${method} ${path}`,
    );
    assert.equal(events.at(-1)?.kind, 'refused-by-lock');
  }
  assert.deepEqual(workspace.changes.policy().changes, changes);
  assert.deepEqual([tables.orders, tables.dropped, workspace.operations.open()], [[], [], []]);
});

test('a lock is set and lifted with a reason only, by who may only, and never twice', async (t) => {
  const { ask, entries, events } = await startRetention(t);
  const statusOf = async (method: string, role: Role, payload: object = REASON): Promise<number> => (await ask(method, '/lock', payload, role)).status;
  for (const role of ['reader', 'contributor', 'data-purger'] as const) assert.equal(await statusOf('POST', role), 403, role);
  for (const reason of ['', '   ', 'two\nlines', 'x'.repeat(501)]) assert.equal(await statusOf('POST', 'owner', { reason }), 400, reason.slice(0, 10));
  assert.equal(await statusOf('DELETE', 'owner'), 409);
  assert.equal(await statusOf('POST', 'owner'), 200);
  assert.equal(errorOf(await ask('POST', '/lock', { reason: 'mine' })).code, 'ConflictError');
  for (const role of ['reader', 'contributor', 'data-purger'] as const) assert.equal(await statusOf('DELETE', role), 403, role);
  assert.equal(await statusOf('DELETE', 'owner', {}), 400);
  assert.equal(((await ask('GET', '/lock', undefined, 'reader')).body as ShownLock).locked, true);
  assert.equal(await statusOf('DELETE', 'owner', { reason: 'case closed' }), 200);
  const lock = (await ask('GET', '/lock')).body as ShownLock;
  assert.deepEqual(
    [lock.locked, lock.reason, lock.steps.map(({ step, reason }) => [step, reason])],
    [
      false,
      undefined,
      [
        ['set', 'case 4711'],
        ['lifted', 'case closed'],
      ],
    ],
  );
  assert.deepEqual(
    entries.map(({ action, detail }) => [action, detail]),
    [
      ['lock.set', 'case 4711'],
      ['lock.lift', 'case closed'],
    ],
  );
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['lock-set', 'lock-lifted'],
  );
});

test('a lock outlasts the process', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await startRetention(t, { folder });
  await first.ask('POST', '/lock', REASON);
  await first.close();
  const { ask } = await startRetention(t, { folder });
  assert.equal((await ask('POST', '/purge', { table: 'Door_CL', filters: FILTERS })).status, 409);
});

test('a shortening whose grace ends under a lock takes effect when the lock is lifted; trimming goes on meanwhile', async (t) => {
  const tables = createFakeTables();
  const { ask, clock } = await startRetention(t, { tables });
  const table = async (): Promise<ShownTable['properties']> => ((await ask('GET', '/tables/Syslog')).body as ShownTable).properties;
  await ask('PUT', '/tables/Syslog', days(10));
  await ask('POST', '/lock', REASON);
  clock.advance(400 * DAY_MS);
  const { retentionInDays, pending } = await table();
  assert.deepEqual([retentionInDays, pending?.effectiveAt, pending?.graceEndsAt], [31, undefined, '2026-12-29T12:00:00.000Z']);
  assert.deepEqual(tables.trims.at(-1), { retention: { Syslog: 31 }, otherwise: 31, now: NOW + 400 * DAY_MS });
  await ask('DELETE', '/lock', REASON);
  assert.equal((await table()).retentionInDays, 10);
});

test('other settings do nothing while the workspace is locked, and count from the time when the lock is lifted', async (t) => {
  const [folder, clock] = [await temporaryFolder(t), createManualClock(NOW)];
  const first = await startRetention(t, { folder, clock });
  await first.ask('POST', '/lock', REASON);
  await first.close();
  const { ask } = await startRetention(t, { folder, clock, settings: { days: 4, graceDays: 1 } });
  const workspace = async (): Promise<ShownWorkspace['properties']> => ((await ask('GET', '')).body as ShownWorkspace).properties;
  clock.advance(100 * DAY_MS);
  assert.deepEqual([(await workspace()).retentionInDays, (await workspace()).pending], [31, undefined]);
  await ask('DELETE', '/lock', REASON);
  assert.deepEqual([(await workspace()).retentionInDays, (await workspace()).pending?.retentionInDays], [31, 4]);
  clock.advance(DAY_MS);
  assert.equal((await workspace()).retentionInDays, 4);
});

test('a purge that runs stops at the step during which the lock is set, stays pending, and goes on when it is lifted', async (t) => {
  const tables = createFakeTables(5);
  const { ask, clock } = await startRetention(t, { tables });
  let steps = 0;
  let locked: Promise<unknown> = Promise.resolve();
  tables.beforeStep = () => {
    steps += 1;
    if (steps === 2) locked = ask('POST', '/lock', REASON);
  };
  // The lock is set while the second step is under way.
  const step = tables.purgeStep;
  tables.purgeStep = async (order) => {
    const done = await step(order);
    await locked;
    return done;
  };
  const { operationId } = (await ask('POST', '/purge', { table: 'Door_CL', filters: FILTERS })).body as { operationId: string };
  const status = async (): Promise<unknown> => (await ask('GET', `/operations/${operationId}`)).body;
  await eventually('the lock', async () => ((await ask('GET', '/lock')).body as ShownLock).locked);
  clock.advance(3_600_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(steps, 2);
  const { status: state, removedRows } = (await status()) as { status: string; removedRows: number };
  assert.deepEqual([state, removedRows], ['pending', 10]);
  const lifted = (await ask('DELETE', '/lock', REASON)).body as { goesOn: string[] };
  assert.deepEqual(lifted.goesOn, [operationId]);
  await eventually('the purge', async () => ((await status()) as { status: string }).status === 'completed');
  assert.deepEqual([steps, ((await status()) as { removedRows: number }).removedRows], [6, 25]);
});
