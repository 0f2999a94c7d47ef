import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APP } from '../../local-workspace/intake/ingestion/cloud.ts';
import { BANK } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { question, rowsOf, type Wanted } from './https.ts';
import { foundIn, openedFiles } from './opened-files.ts';
import { type Place, startPlace } from './place.ts';
import { agentOf, BANK_RULE, RULES, sendLedger, sendSyslog, signIn } from './senders.ts';

const GONE = Array.from({ length: 20 }, (_, at) => `gone-${at}`);
const KEPT = Array.from({ length: 20 }, (_, at) => `kept-${at}`);
const PURGE = `/workspaces/${BANK}/purge`;
const MESSAGES = 'Syslog | project SyslogMessage | order by SyslogMessage asc';

function purge(token: string, values: readonly string[] = GONE, table = 'Syslog', column = 'SyslogMessage'): Wanted {
  return { path: PURGE, token, body: { table, filters: [{ column, operator: 'in', value: values }] } };
}

interface Operation {
  readonly status: string;
  readonly removedRows?: number;
}

/** Asks at the place that the answer names. */
async function completed(place: Place, location: string, token: string): Promise<Operation> {
  return await eventually('the purge is completed', async () => {
    const { json } = await place.ask({ path: location, token });
    return (json as Operation).status === 'completed' && (json as Operation);
  });
}

test('a data purger removes rows for good: from every query, after a restart too, and from every file, whoever has the key', async (t) => {
  const place = await startPlace(t, { more: { ingestion: RULES } });
  const { 'data-purger': purger, reader, owner } = await place.tokens('data-purger', 'reader', 'owner');
  const agent = await agentOf(place, BANK);
  const app = await signIn(place, APP);
  for (const [at, word] of GONE.entries()) await sendSyslog(place, agent, [word, KEPT[at] ?? '']);
  const records = [...GONE, ...KEPT].map((Text, Amount) => ({ TimeGenerated: new Date(place.clock.now()).toISOString(), Text, Amount }));
  assert.equal((await sendLedger(place, { token: app, rule: BANK_RULE, records })).status, 204);
  assert.equal(rowsOf(await place.ask(question(BANK, MESSAGES, reader))).length, 40);
  assert.deepEqual(foundIn(await openedFiles(place, BANK), GONE), { segments: 20, staged: 20 });

  for (const wanted of [purge(purger), purge(purger, GONE, 'Ledger_CL', 'Text')]) {
    const taken = await place.ask(wanted);
    const { operationId } = taken.json as { operationId: string };
    assert.equal(taken.status, 202, taken.text);
    assert.match(operationId, /^purge-[0-9a-f-]{36}$/);
    const location = new URL(String(taken.headers['x-ms-status-location'])).pathname;
    assert.equal(location, `/workspaces/${BANK}/operations/${operationId}`);
    assert.equal((await completed(place, location, purger)).removedRows, undefined);
    assert.equal((await completed(place, location, owner)).removedRows, 20);
  }

  const queries = [
    MESSAGES,
    'Syslog | where SyslogMessage startswith "gone" | project SyslogMessage',
    'union Syslog, Ledger_CL | summarize count() by Type',
    'Ledger_CL | summarize make_set(Text_s)',
  ];
  const expected = KEPT.toSorted().map((word) => [word]);
  const judge = async (): Promise<void> => {
    assert.deepEqual(rowsOf(await place.ask(question(BANK, MESSAGES, reader))), expected);
    for (const query of queries) {
      const { text } = await place.ask(question(BANK, query, reader));
      assert.deepEqual(
        GONE.filter((word) => text.includes(`"${word}"`)),
        [],
        query,
      );
    }
    const local = await place.local().query(BANK, { limit: 1_000 });
    assert.ok(local.length > 0 && !JSON.stringify(local).includes('gone-'));
    assert.ok(!JSON.stringify(await place.local().rows(BANK, 'Ledger_CL')).includes('gone-'));
  };
  await judge();
  await eventually('no file has a purged word', async () => {
    const files = await openedFiles(place, BANK);
    const found = foundIn(files, GONE);
    return found.segments === 0 && found.staged === 0 && foundIn(files, KEPT).segments === 20;
  });
  await place.stop();
  assert.deepEqual(foundIn(await openedFiles(place, BANK), GONE), { segments: 0, staged: 0 });
  await place.start();
  await judge();
});

test('a purge under steady intake leaves nothing behind either', async (t) => {
  const place = await startPlace(t);
  const purger = await place.token('data-purger');
  const agent = await agentOf(place, BANK);
  await sendSyslog(place, agent, GONE);
  let isOver = false;
  let sent = 0;
  const sending = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      sent += 1;
      await sendSyslog(place, agent, [`later-${sent}`]);
    }
  });
  try {
    const taken = await place.ask(purge(purger));
    await completed(place, new URL(String(taken.headers['x-ms-status-location'])).pathname, purger);
    await eventually(
      'no file has a purged word',
      async () => {
        // Files come and go meanwhile: one that went while it was read is looked for again.
        const files = await openedFiles(place, BANK).catch(() => undefined);
        if (!files) return false;
        const found = foundIn(files, GONE);
        return found.segments === 0 && found.staged === 0;
      },
      20_000,
    );
  } finally {
    isOver = true;
    await Promise.all(sending);
  }
  assert.deepEqual(await place.rows(BANK, 'Syslog | where SyslogMessage startswith "later" | count'), [[sent]]);
});

test('who is no data purger and no owner cannot purge, nor ask what became of it', async (t) => {
  const place = await startPlace(t);
  await sendSyslog(place, await agentOf(place, BANK), [...GONE, ...KEPT]);
  const path = `/workspaces/${BANK}/operations/purge-00000000-0000-4000-8000-000000000000`;
  for (const role of ['reader', 'contributor', 'support'] as const) {
    const token = await place.token(role);
    for (const wanted of [purge(token), { path, token }]) {
      const refused = await place.ask(wanted);
      assert.equal(refused.word, '403 InsufficientAccessError', role);
      assert.match(refused.text, /may not do .*Ask somebody who is data-purger or owner\./);
    }
  }
  assert.deepEqual(await place.rows(BANK, 'Syslog | count'), [[40]]);
  assert.equal((await place.incidents('purge-requested')).length, 0);
});

test('the 51st purge in an hour is told when to come again, and is taken then', async (t) => {
  const clock = createManualClock();
  const place = await startPlace(t, { clock });
  const purger = await place.token('data-purger');
  await sendSyslog(place, await agentOf(place, BANK), [...GONE, ...KEPT]);
  assert.deepEqual(await place.rows(BANK, 'Syslog | count'), [[40]]);
  for (let at = 0; at < 50; at += 1) assert.equal((await place.ask(purge(purger, [`none-${at}`]))).status, 202);
  const refused = await place.ask(purge(purger));
  assert.deepEqual([refused.word, refused.headers['retry-after']], ['429 TooManyRequests', '3600']);
  assert.deepEqual(await place.rows(BANK, 'Syslog | count'), [[40]]);
  clock.advance(3_600_000);
  assert.equal((await place.ask(purge(purger))).status, 202);
  await eventually('the rows are gone', async () => (await place.rows(BANK, 'Syslog | count'))[0]?.[0] === 20);
});

test('a purge reaches rows that wait to be put in the tables, also while that is stopped', async (t) => {
  const place = await startPlace(t);
  const purger = await place.token('data-purger');
  const agent = await agentOf(place, BANK);
  const processing = (on: boolean): Promise<unknown> => place.operator('POST', `/workspaces/${BANK}/processing`, { on });
  await sendSyslog(place, agent, ['first']);
  assert.deepEqual(await place.rows(BANK, 'Syslog | count'), [[1]]);
  await processing(false);
  await sendSyslog(place, agent, [...GONE, ...KEPT]);
  const taken = await place.ask(purge(purger));
  assert.equal(taken.status, 202);
  const { operationId } = taken.json as { operationId: string };
  await place.rows(BANK, 'Syslog | count');
  await processing(true);
  await completed(place, `/workspaces/${BANK}/operations/${operationId}`, purger);
  const found = (await place.rows(BANK, MESSAGES)).flat();
  assert.deepEqual(found, ['first', ...KEPT].toSorted());
});
