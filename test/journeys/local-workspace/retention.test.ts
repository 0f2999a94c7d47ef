import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BANK, PLANT, type TestAgent } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import type { Answer } from './https.ts';
import { foundIn, openedFiles } from './opened-files.ts';
import { type Place, startPlace } from './place.ts';
import { agentOf, sendCustom, sendSyslog } from './senders.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const GRACE_DAYS = 10;
/** Long ago, so that the certificates of this time are good now. */
const BEGINNING = Math.floor((Date.now() - 80 * DAY_MS) / DAY_MS) * DAY_MS;
const SETTINGS = { workspaces: { [BANK]: { retention: { graceDays: GRACE_DAYS } } } };

interface Days {
  readonly place: Place;
  readonly clock: ManualClock;
  readonly owner: string;
  /** Goes on by so many days; the hourly round is over when it resolves. */
  pass(days: number): Promise<void>;
}

async function startDays(t: Parameters<typeof startPlace>[0]): Promise<Days> {
  const clock = createManualClock(BEGINNING);
  const place = await startPlace(t, { clock, settings: SETTINGS });
  const rounds = (): number => clock.waits().filter((wait) => wait === HOUR_MS).length;
  const before = rounds();
  // From the first round on there is one an hour, for each workspace.
  clock.advance(60_000);
  const planned = (): Promise<unknown> => eventually('the round is over', () => rounds() === before + 2);
  await planned();
  return {
    place,
    clock,
    owner: await place.token('owner'),
    async pass(days) {
      clock.advance(days * DAY_MS);
      await planned();
    },
  };
}

/** Rows of a day in two tables. */
async function sendDay(place: Place, agent: TestAgent, day: number): Promise<void> {
  await sendSyslog(place, agent, [`syslog-${day}-`]);
  await sendCustom(place, agent, 'Ledger', [{ Text: `ledger-${day}-` }]);
}

async function daysIn(place: Place, table: string): Promise<number> {
  const [[days]] = (await place.rows(BANK, `${table} | summarize dcount(bin(TimeGenerated, 1d))`)) as [[number]];
  return days;
}

function shorten({ place, owner }: Days, table: string, days: number, confirm: boolean): Promise<Answer> {
  return place.ask({ method: 'PUT', path: `/workspaces/${BANK}/tables/${table}`, token: owner, body: { properties: { retentionInDays: days }, confirm } });
}

test('rows stay 31 days unless set; a shorter time is told, confirmed, waited for, and takes rows from queries and disk', async (t) => {
  const days = await startDays(t);
  const { place, pass } = days;
  const agent = await agentOf(place, BANK);
  for (let day = 0; day < 7; day += 1) {
    await sendDay(place, agent, day);
    assert.equal(await daysIn(place, 'Syslog'), day + 1);
    if (day < 6) await pass(1);
  }
  const asked = await shorten(days, 'Ledger_CL', 4, false);
  assert.equal(asked.word, '409 ConfirmationRequired');
  const { message, details } = (asked.json as { error: { message: string; details: { rows: number; bytes: number; oldestDay: string } } }).error;
  assert.deepEqual([details.rows, details.oldestDay], [2, new Date(BEGINNING).toISOString().slice(0, 10)]);
  assert.ok(details.bytes > 0);
  assert.match(message, /2 rows of today .* It takes effect in 10 days, .*can be taken back until then.*"confirm": true/);
  assert.equal((await shorten(days, 'Ledger_CL', 3, true)).word, '400 BadArgumentError');
  assert.equal((await shorten(days, 'Ledger_CL', 4, true)).status, 200);
  assert.match((await place.incidents('retention-shortened'))[0]?.subject ?? '', /Ledger_CL/);

  await pass(GRACE_DAYS - 1);
  assert.deepEqual([await daysIn(place, 'Ledger_CL'), await daysIn(place, 'Syslog')], [7, 7]);
  await pass(1);
  assert.deepEqual([await daysIn(place, 'Ledger_CL'), await daysIn(place, 'Syslog')], [0, 7]);
  const gone = Array.from({ length: 7 }, (_, day) => `ledger-${day}-`);
  const kept = gone.map((word) => word.replace('ledger', 'syslog'));
  await eventually(
    'no file has them',
    async () => {
      const files = await openedFiles(place, BANK);
      const found = foundIn(files, gone);
      return found.segments === 0 && found.staged === 0 && foundIn(files, kept).segments === 7;
    },
    10_000,
  );

  // Day 31: the first day is over for 30 days, and goes when it is for 31.
  await pass(15);
  assert.equal(await daysIn(place, 'Syslog'), 7);
  await pass(1);
  assert.equal(await daysIn(place, 'Syslog'), 6);
  await pass(6);
  assert.equal(await daysIn(place, 'Syslog'), 0);
  await place.stop();
  assert.deepEqual(foundIn(await openedFiles(place, BANK), [...gone, ...kept]), { segments: 0, staged: 0 });
});

test('a shortening that is taken back in time takes nothing; under a lock none is taken, nor takes effect', async (t) => {
  const days = await startDays(t);
  const { place, pass, owner } = days;
  const agent = await agentOf(place, BANK);
  await sendDay(place, agent, 0);
  assert.equal(await daysIn(place, 'Syslog'), 1);
  assert.equal((await shorten(days, 'Syslog', 4, true)).status, 200);
  assert.equal((await shorten(days, 'Ledger_CL', 4, true)).status, 200);
  await pass(GRACE_DAYS - 1);
  const back = await place.ask({ method: 'DELETE', path: `/workspaces/${BANK}/tables/Syslog/pendingRetention`, token: owner });
  assert.equal(back.status, 200);
  assert.equal((await place.ask({ path: `/workspaces/${BANK}/lock`, token: owner, body: { reason: 'case 1' } })).status, 200);
  assert.equal((await shorten(days, 'Syslog', 5, true)).word, '409 ScopeLocked');
  await pass(2);
  assert.deepEqual([await daysIn(place, 'Ledger_CL'), await daysIn(place, 'Syslog')], [1, 1]);
  assert.equal((await place.ask({ method: 'DELETE', path: `/workspaces/${BANK}/lock`, token: owner, body: { reason: 'over' } })).status, 200);
  await pass(1);
  assert.deepEqual([await daysIn(place, 'Ledger_CL'), await daysIn(place, 'Syslog')], [0, 1]);
});

test('the retention of one workspace is no other’s, and who may only read cannot change it', async (t) => {
  const days = await startDays(t);
  const { place, pass, owner } = days;
  for (const workspace of [BANK, PLANT]) await sendSyslog(place, await agentOf(place, workspace), ['a']);
  const change = { method: 'PATCH', body: { properties: { retentionInDays: 4 }, confirm: true } };
  const { reader, 'data-purger': purger } = await place.tokens('reader', 'data-purger');
  for (const token of [reader, purger]) assert.equal((await place.ask({ ...change, path: `/workspaces/${BANK}`, token })).word, '403 InsufficientAccessError');
  assert.equal((await place.ask({ ...change, path: `/workspaces/${PLANT}`, token: owner })).word, '403 InsufficientAccessError');
  assert.equal((await place.ask({ ...change, path: `/workspaces/${BANK}`, token: owner })).status, 200);
  await pass(GRACE_DAYS + 1);
  assert.deepEqual([await place.rows(BANK, 'Syslog | count'), await place.rows(PLANT, 'Syslog | count')], [[[0]], [[1]]]);
});
