import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShownRequest } from '../../../src/local-workspace/access/shown-request.ts';
import { BANK, PLANT } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { type Answer, question, rowsOf } from './https.ts';
import { type AuditLine, type Place, startPlace } from './place.ts';
import { agentOf, sendSyslog } from './senders.ts';

const MINUTE_MS = 60_000;
const AT = `/workspaces/${BANK}`;
const QUERY = 'Syslog | project SyslogMessage';

/** Support asks for the role of a reader for an hour. */
async function asked(place: Place, token: string, role = 'reader'): Promise<string> {
  const answer = await place.ask({ path: `${AT}/access-requests`, token, body: { role, reason: 'ticket 4711', minutes: 60 } });
  assert.equal(answer.status, 200, answer.text);
  return (answer.json as ShownRequest).id;
}

/** Without the token's id. */
function nameOf({ name }: AuditLine['actor']): string {
  return name.replace(/ \([0-9a-f]{12}\)$/, '');
}

function decide(place: Place, id: string, token: string, workspace = BANK, how = 'approve'): Promise<Answer> {
  return place.ask({ path: `/workspaces/${workspace}/access-requests/${id}/${how}`, token, body: { comment: 'as agreed' } });
}

test('support sees nothing until an owner approves, then only what was approved, there, and until its time is over', async (t) => {
  const clock = createManualClock();
  const place = await startPlace(t, { clock });
  const { support, owner, reader } = await place.tokens('support', 'owner', 'reader');
  const ofPlant = await place.token('owner', PLANT);
  await sendSyslog(place, await agentOf(place, BANK), ['of the bank']);
  await sendSyslog(place, await agentOf(place, PLANT), ['of the plant']);
  const query = (): Promise<Answer> => place.ask(question(BANK, QUERY, support));
  assert.equal((await query()).word, '403 InsufficientAccessError');

  const id = await asked(place, support);
  assert.equal((await query()).word, '403 InsufficientAccessError');
  for (const [who, token] of Object.entries({ itself: support, reader, 'an owner of another workspace': ofPlant })) {
    assert.equal((await decide(place, id, token)).word, '403 InsufficientAccessError', who);
  }
  assert.equal((await decide(place, id, ofPlant, PLANT)).word, '404 NotFoundError');
  assert.equal((await query()).word, '403 InsufficientAccessError');
  assert.equal((await decide(place, id, owner)).status, 200);

  assert.deepEqual(rowsOf(await query()), [['of the bank']]);
  assert.equal((await place.ask(question(PLANT, QUERY, support))).word, '403 InsufficientAccessError');
  const purge = { table: 'Syslog', filters: [{ column: 'SyslogMessage', operator: '==', value: 'of the bank' }] };
  assert.equal((await place.ask({ path: `${AT}/purge`, token: support, body: purge })).word, '403 InsufficientAccessError');
  assert.equal((await place.ask({ path: `${AT}/tokens`, token: support, body: { name: 'mine', role: 'reader' } })).word, '403 InsufficientAccessError');
  await place.stop();
  await place.start();
  assert.deepEqual(rowsOf(await query()), [['of the bank']]);
  clock.advance(60 * MINUTE_MS - 1);
  assert.equal((await query()).status, 200);
  clock.advance(1);
  const over = await query();
  assert.equal(over.word, '403 InsufficientAccessError');
  assert.match(over.text, /by what is approved at this moment, may not do \\"query\\" here/);
  clock.advance(MINUTE_MS);

  const lines = await eventually('the end is in the audit log', async () => {
    const found = (await place.audit()).filter(({ on }) => on.startsWith(`${BANK} request ${id}`));
    return found.some(({ action }) => action === 'access-request.end') && found;
  });
  assert.deepEqual(
    lines.map(({ action, result, actor }) => `${nameOf(actor)} ${action} ${result}`),
    ['the support access-request.create done', 'the owner access-request.approve done', 'local-workspace access-request.end done'],
  );
  const refused = (await place.audit()).filter(({ result, action }) => result === 'refused' && action === 'access.decide');
  assert.deepEqual(
    refused.map(({ actor, on }) => [nameOf(actor), on]),
    [
      ['the support', BANK],
      ['the reader', BANK],
      ['the owner', BANK],
    ],
  );
  const [incident, ...more] = await place.incidents('access-approved');
  assert.deepEqual([incident?.source, incident?.subject, more.length], [`workspace ${BANK}`, id, 0]);
  assert.match(incident?.detail ?? '', /the owner.* let the support in as reader until /);
});

test('support that was let in as an owner grants nothing that would outlive it, and is out when the owner takes it back', async (t) => {
  const place = await startPlace(t);
  const { support, owner } = await place.tokens('support', 'owner');
  const id = await asked(place, support, 'owner');
  const other = await asked(place, support, 'reader');
  assert.equal((await decide(place, id, owner)).status, 200);
  assert.equal((await place.ask({ path: `${AT}/tokens`, token: support })).status, 200);
  assert.equal((await place.ask({ path: `${AT}/tokens`, token: support, body: { name: 'mine', role: 'owner' } })).word, '403 InsufficientAccessError');
  assert.equal((await decide(place, other, support)).word, '403 InsufficientAccessError');
  assert.equal((await decide(place, id, owner, BANK, 'withdraw')).status, 200);
  assert.equal((await place.ask({ path: `${AT}/tokens`, token: support })).word, '403 InsufficientAccessError');
  assert.equal((await decide(place, id, owner)).word, '409 ConflictError');
});
