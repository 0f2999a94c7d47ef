import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RelayError } from '../../../src/errors.ts';
import { BANK, PLANT } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { startPlace } from './place.ts';
import { agentOf, sendCustom, sendSyslog } from './senders.ts';

const DAY_MS = 86_400_000;
const AT = `/workspaces/${BANK}`;
const LOCK = `${AT}/lock`;

/** Whatever removes rows sooner than the retention in force, or would. */
const REMOVALS = [
  { method: 'POST', path: `${AT}/purge`, body: { table: 'Syslog', filters: [{ column: 'SyslogMessage', operator: '==', value: 'a' }] } },
  { method: 'DELETE', path: `${AT}/tables/Ledger_CL?confirm=Ledger_CL` },
  { method: 'PUT', path: `${AT}/tables/Syslog`, body: { properties: { retentionInDays: 4 }, confirm: true } },
  { method: 'PATCH', path: `${AT}/tables/Syslog`, body: { properties: { retentionInDays: 700 } } },
  { method: 'PATCH', path: AT, body: { properties: { retentionInDays: 10 }, confirm: true } },
  { method: 'DELETE', path: `${AT}/tables/Syslog/pendingRetention` },
] as const;

test('a lock holds off everybody, the operator too, until an owner lifts it with a reason; what was pending goes on then', async (t) => {
  const clock = createManualClock();
  const place = await startPlace(t, { clock, settings: { workspaces: { [BANK]: { retention: { graceDays: 1 } } } } });
  const { owner, reader, contributor, 'data-purger': purger } = await place.tokens('owner', 'reader', 'contributor', 'data-purger');
  const agent = await agentOf(place, BANK);
  await sendSyslog(place, agent, ['a', 'b']);
  await sendCustom(place, agent, 'Ledger', [{ Text: 'c' }]);
  assert.deepEqual(await place.rows(BANK, 'union Syslog, Ledger_CL | count'), [[3]]);
  const shortened = { path: `${AT}/tables/Ledger_CL`, method: 'PUT', body: { properties: { retentionInDays: 5 }, confirm: true } } as const;
  assert.equal((await place.ask({ ...shortened, token: owner })).status, 200);

  for (const token of [reader, contributor, purger]) {
    assert.equal((await place.ask({ path: LOCK, token, body: { reason: 'me' } })).word, '403 InsufficientAccessError');
  }
  assert.equal((await place.ask({ path: LOCK, token: owner, body: { reason: '' } })).word, '400 BadArgumentError');
  assert.equal((await place.ask({ path: LOCK, token: owner, body: { reason: 'case 4711' } })).status, 200);
  assert.equal((await place.ask({ path: LOCK, token: reader })).status, 200);

  for (const removal of REMOVALS) {
    const refused = await place.ask({ ...removal, token: owner });
    assert.equal(refused.word, '409 ScopeLocked', `${removal.method} ${removal.path}`);
    assert.match(refused.text, /has been locked since .* by .*case 4711.*lock lift/);
    const { method, path } = removal;
    await assert.rejects(
      place.operator(method, path, 'body' in removal ? removal.body : undefined),
      (error: RelayError) => String(error.code) === 'ScopeLocked',
    );
  }
  assert.equal((await place.ask({ ...REMOVALS[0], token: purger })).word, '409 ScopeLocked');
  // The grace of what was ordered before is over, and the rows stay.
  clock.advance(2 * DAY_MS);
  const pending = (await place.ask({ path: `${AT}/tables/Ledger_CL`, token: owner })).json as { properties: { retentionInDays: number; pending: object } };
  assert.equal(pending.properties.retentionInDays, 31);
  await place.stop();
  await place.start();
  assert.equal((await place.ask({ ...REMOVALS[0], token: purger })).word, '409 ScopeLocked');
  assert.deepEqual(await place.rows(BANK, 'union Syslog, Ledger_CL | count'), [[3]]);
  assert.equal((await place.incidents('lock-lifted')).length, 0);

  for (const token of [reader, contributor, purger]) {
    assert.equal((await place.ask({ path: LOCK, method: 'DELETE', token, body: { reason: 'me' } })).word, '403 InsufficientAccessError');
  }
  const ofPlant = await place.token('owner', PLANT);
  assert.equal((await place.ask({ path: LOCK, method: 'DELETE', token: ofPlant, body: { reason: 'me' } })).word, '403 InsufficientAccessError');
  assert.equal((await place.ask({ path: LOCK, method: 'DELETE', token: owner, body: {} })).word, '400 BadArgumentError');
  assert.equal((await place.ask({ path: LOCK, method: 'DELETE', token: owner, body: { reason: 'case 4711 is closed' } })).status, 200);

  const [incident] = await place.incidents('lock-lifted');
  assert.equal(incident?.source, `workspace ${BANK}`);
  assert.match(incident?.detail ?? '', /case 4711 is closed/);
  const lines = (await place.audit()).filter(({ action }) => action.startsWith('lock.'));
  assert.deepEqual(
    lines.filter(({ result }) => result === 'done').map(({ action, on, detail }) => [action, on.split(' ')[0], detail]),
    [
      ['lock.set', BANK, 'case 4711'],
      ['lock.lift', BANK, 'case 4711 is closed'],
    ],
  );
  const after = (await place.ask({ path: `${AT}/tables/Ledger_CL`, token: owner })).json as typeof pending;
  assert.equal(after.properties.retentionInDays, 5);
  assert.equal((await place.ask({ ...REMOVALS[0], token: purger })).status, 202);
  await eventually('the purge goes on', async () => (await place.rows(BANK, 'Syslog | count'))[0]?.[0] === 1);
});

test('purges that were taken before the lock stop for it, and go on when it is lifted', async (t) => {
  const place = await startPlace(t);
  const owner = await place.token('owner');
  const words = Array.from({ length: 20 }, (_, at) => `w${at}`);
  await sendSyslog(place, await agentOf(place, BANK), [...words, 'b']);
  assert.deepEqual(await place.rows(BANK, 'Syslog | count'), [[21]]);
  const purges = words.map((value) =>
    place.ask({ path: `${AT}/purge`, token: owner, body: { table: 'Syslog', filters: [{ column: 'SyslogMessage', operator: '==', value }] } }),
  );
  const locking = place.ask({ path: LOCK, token: owner, body: { reason: 'case 1' } });
  const taken = (await Promise.all(purges)).filter(({ status }) => status === 202).map(({ json }) => (json as { operationId: string }).operationId);
  assert.equal((await locking).status, 200);
  const pending = async (): Promise<string[]> => {
    const shown = await Promise.all(taken.map((id) => place.ask({ path: `${AT}/operations/${id}`, token: owner })));
    return taken.filter((_, at) => shown[at]?.text.includes('"status":"pending"')).toSorted();
  };
  // The step under way ends; what a query sees after it is what stays.
  const [[rows]] = (await place.rows(BANK, 'Syslog | count')) as [[number]];
  const waiting = await pending();
  await place.rows(BANK, 'Syslog | count');
  assert.deepEqual([await pending(), await place.rows(BANK, 'Syslog | count')], [waiting, [[rows]]]);
  const lifted = await place.ask({ path: LOCK, method: 'DELETE', token: owner, body: { reason: 'over' } });
  assert.deepEqual((lifted.json as { goesOn: string[] }).goesOn.toSorted(), waiting);
  await eventually('all purges are completed', async () => (await pending()).length === 0);
  assert.deepEqual(await place.rows(BANK, 'Syslog | count'), [[21 - taken.length]]);
});
