import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShownTable, ShownWorkspace } from '../../../src/local-workspace/retention/shown-retention.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { BANK, temporaryFolder } from '../rig.ts';
import { type Answered, createFakeTables, DAY_MS, errorOf, NOW, segmentOf, startRetention } from './rig.ts';

const properties = (retentionInDays: unknown): object => ({ properties: { retentionInDays } });
const confirmed = (retentionInDays: unknown): object => ({ ...properties(retentionInDays), confirm: true });
const shown = ({ body }: Answered): ShownTable['properties'] => (body as ShownTable).properties;

test('a table is shown as the service shows it', async (t) => {
  const { ask } = await startRetention(t);
  const expected = {
    name: 'Syslog',
    properties: {
      retentionInDays: 31,
      totalRetentionInDays: 31,
      archiveRetentionInDays: 0,
      retentionInDaysAsDefault: true,
      totalRetentionInDaysAsDefault: true,
      plan: 'Analytics',
      provisioningState: 'Succeeded',
    },
  };
  const one = await ask('GET', '/tables/Syslog');
  assert.deepEqual([one.status, one.body, one.headers['cache-control']], [200, expected, 'no-store']);
  const { value } = (await ask('GET', '/tables', undefined, 'data-purger')).body as { value: ShownTable[] };
  assert.deepEqual(value, [{ ...expected, name: 'Door_CL' }, expected]);
  const workspace = (await ask('GET', '')).body as ShownWorkspace;
  assert.deepEqual(workspace, {
    name: BANK,
    properties: { customerId: BANK, retentionInDays: 31, sku: { name: 'PerGB2018' }, provisioningState: 'Succeeded', graceInDays: 30, locked: false },
  });
});

test('a longer retention is in force at once, of a table and of the workspace, and trimming goes by it', async (t) => {
  const tables = createFakeTables();
  const { ask, clock, entries, events } = await startRetention(t, { tables });
  assert.equal(shown(await ask('PUT', '/tables/Syslog', properties(365), 'contributor')).retentionInDays, 365);
  assert.equal(shown(await ask('PATCH', '', properties(90))).retentionInDays, 90);
  // Asked for again it is no change.
  assert.equal(shown(await ask('PATCH', '', properties(90))).retentionInDays, 90);
  clock.advance(3_600_000);
  assert.deepEqual(tables.trims[0], { retention: { Syslog: 365 }, otherwise: 90, now: NOW + 3_600_000 });
  assert.deepEqual(
    entries.map(({ actor, action, on, result, detail }) => [actor.name, action, on, result, detail]),
    [
      ['olga (aaaaaaaaaaaa)', 'retention.change', `${BANK} table Syslog`, 'done', 'retention of Syslog from 31 to 365 days'],
      ['olga (aaaaaaaaaaaa)', 'retention.change', `${BANK} default`, 'done', 'retention of the workspace from 31 to 90 days'],
    ],
  );
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['retention-lengthened', 'retention-lengthened'],
  );
});

test('a shortening is first answered with what would go, then taken, waits visibly, and is in force after the grace', async (t) => {
  const tables = createFakeTables();
  tables.segmentsNow = [segmentOf('Syslog', '2026-11-20', 40), segmentOf('Syslog', '2026-11-28', 2), segmentOf('Door_CL', '2026-11-20', 9)];
  const { ask, clock, events } = await startRetention(t, { tables });
  const asked = await ask('PATCH', '/tables/Syslog', properties(4));
  assert.deepEqual([asked.status, errorOf(asked).code], [409, 'ConfirmationRequired']);
  assert.deepEqual(errorOf(asked).details, { rows: 40, bytes: 4_000, oldestDay: '2026-11-20', tables: ['Syslog'], effectiveAt: '2026-12-29T12:00:00.000Z' });
  assert.match(
    errorOf(asked).message,
    /^retention of Syslog from 31 to 4 days is shorter: 40 rows of today \(4000 bytes, the oldest of 2026-11-20\) .* takes effect in 30 days/,
  );
  assert.equal(shown(await ask('GET', '/tables/Syslog')).provisioningState, 'Succeeded');

  const taken = shown(await ask('PATCH', '/tables/Syslog', confirmed(4)));
  assert.deepEqual([taken.retentionInDays, taken.provisioningState], [31, 'InProgress']);
  assert.deepEqual(taken.pending, {
    retentionInDays: 4,
    requestedAt: '2026-11-29T12:00:00.000Z',
    requestedBy: 'token olga (aaaaaaaaaaaa)',
    effectiveAt: '2026-12-29T12:00:00.000Z',
    graceEndsAt: '2026-12-29T12:00:00.000Z',
  });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['retention-shortened'],
  );
  clock.advance(30 * DAY_MS - 1);
  assert.deepEqual(tables.trims.at(-1)?.retention, { Syslog: 31 });
  clock.advance(1);
  const { retentionInDays, provisioningState, pending } = shown(await ask('GET', '/tables/Syslog'));
  assert.deepEqual([retentionInDays, provisioningState, pending], [4, 'Succeeded', undefined]);
});

test('a shortening that is asked for again does not begin its grace anew, and one that waits can be taken back', async (t) => {
  const { ask, clock, entries } = await startRetention(t);
  const first = shown(await ask('PUT', '/tables/Syslog', confirmed(10)));
  clock.advance(5 * DAY_MS);
  assert.deepEqual(shown(await ask('PUT', '/tables/Syslog', properties(10))).pending, first.pending);
  assert.equal((await ask('DELETE', '/tables/Door_CL/pendingRetention')).status, 409);
  const back = await ask('DELETE', '/tables/Syslog/pendingRetention');
  assert.deepEqual([back.status, shown(back).retentionInDays, shown(back).pending], [200, 31, undefined]);
  clock.advance(60 * DAY_MS);
  assert.equal(shown(await ask('GET', '/tables/Syslog')).retentionInDays, 31);
  assert.equal(errorOf(await ask('DELETE', '/tables/Syslog/pendingRetention')).code, 'ConflictError');
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['retention.change', 'retention.take-back'],
  );
});

test('a table follows the workspace again by -1 or null', async (t) => {
  const { ask } = await startRetention(t);
  for (const follow of [-1, null]) {
    await ask('PUT', '/tables/Syslog', properties(10 + 30));
    assert.equal(shown(await ask('GET', '/tables/Syslog')).retentionInDaysAsDefault, false);
    assert.equal((await ask('PUT', '/tables/Syslog', properties(follow))).status, 409);
    assert.equal(shown(await ask('PUT', '/tables/Syslog', confirmed(follow))).pending?.retentionInDays, 31);
  }
});

test('what is no retention is refused and changes nothing', async (t) => {
  const { ask, entries } = await startRetention(t);
  const cases: readonly [method: string, path: string, payload: object, status: number, words: RegExp][] = [
    ['PUT', '/tables/Syslog', properties(3), 400, /properties\.retentionInDays: must be a whole number from 4 to 730, or -1/],
    ['PUT', '/tables/Syslog', properties(731), 400, /from 4 to 730/],
    ['PUT', '/tables/Syslog', properties('31'), 400, /from 4 to 730/],
    ['PUT', '/tables/Syslog', {}, 400, /properties/],
    ['PUT', '/tables/Syslog', { properties: { retentionInDays: 40, totalRetentionInDays: 365 } }, 400, /there is no archive here/],
    ['PUT', '/tables/Syslog', { properties: { retentionInDays: 40, plan: 'Basic' } }, 400, /must be "Analytics"/],
    ['PUT', '/tables/Syslogg', properties(365), 404, /has no table "Syslogg"/],
    ['GET', '/tables/Syslogg', {}, 404, /has no table "Syslogg"/],
    ['PATCH', '', properties(-1), 400, /properties\.retentionInDays/],
    ['PATCH', '', { ...properties(90), confirm: 'yes' }, 400, /confirm/],
  ];
  for (const [method, path, payload, status, words] of cases) {
    const answered = await ask(method, path, method === 'GET' ? undefined : payload);
    assert.equal(answered.status, status, `${method} ${path} ${JSON.stringify(payload)}`);
    assert.match(errorOf(answered).message, words);
  }
  assert.deepEqual(entries, []);
  assert.equal((await ask('PATCH', '', properties(90), 'reader')).status, 403);
  assert.equal(shown(await ask('GET', '/tables/Syslog')).retentionInDays, 31);
});

test('the plan "free" keeps everything 7 days, whatever is asked for', async (t) => {
  const { ask } = await startRetention(t, { settings: { plan: 'free' } });
  const { sku, retentionInDays } = ((await ask('GET', '')).body as ShownWorkspace).properties;
  assert.deepEqual([sku.name, retentionInDays], ['Free', 7]);
  for (const path of ['', '/tables/Syslog']) assert.match(errorOf(await ask('PATCH', path, properties(31))).message, /Plan "free" keeps all tables 7 days/);
  assert.equal(shown(await ask('GET', '/tables/Syslog')).retentionInDays, 7);
});

test('other settings at a start lengthen at once, shorten after the grace, and leave what was ordered when they say nothing new', async (t) => {
  const [folder, clock] = [await temporaryFolder(t), createManualClock(NOW)];
  const daysWith = async (
    settings: Record<string, unknown>,
    then: (rig: Awaited<ReturnType<typeof startRetention>>) => Promise<unknown> = async () => {},
  ): Promise<number> => {
    const rig = await startRetention(t, { folder, clock, settings });
    await then(rig);
    const days = ((await rig.ask('GET', '')).body as ShownWorkspace).properties.retentionInDays;
    await rig.close();
    return days;
  };
  assert.equal(await daysWith({ days: 60 }), 60, 'the first start');
  assert.equal(await daysWith({ days: 60 }, ({ ask }) => ask('PATCH', '', properties(200))), 200, 'ordered');
  assert.equal(await daysWith({ days: 60 }), 200, 'the settings say nothing new');
  assert.equal(await daysWith({ days: 300 }), 300, 'longer settings');
  assert.equal(await daysWith({ days: 60 }), 300, 'shorter settings wait');
  clock.advance(30 * DAY_MS);
  assert.equal(await daysWith({ days: 60 }), 60, 'and are in force after the grace');
  assert.equal(await daysWith({ plan: 'free' }), 60, 'a smaller plan waits, too');
  clock.advance(30 * DAY_MS);
  assert.equal(await daysWith({ plan: 'free' }), 7, 'and is in force after the grace');
});

test('no workspace but the right one is served, and nothing without a right', async (t) => {
  const { server } = await startRetention(t);
  const status = async (id: string, role: string): Promise<number> =>
    (await server.inject({ url: `/workspaces/${id}`, headers: { authorization: role } })).statusCode;
  assert.deepEqual([await status(BANK, 'reader'), await status(BANK, 'data-purger'), await status('x', 'reader')], [200, 403, 404]);
  assert.equal(await status('22222222-2222-4222-8222-222222222222', 'reader'), 404);
});
