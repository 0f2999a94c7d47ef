import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import { makeSoftToken, type SoftToken } from '../../local-workspace/keys/soft-token.ts';
import { BANK, PLANT, type Reply, type TestAgent, temporaryFolder } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { type Answer, question, rowsOf } from './https.ts';
import { type Place, startPlace } from './place.ts';
import { agentOf, onboardAgain, sendSyslog } from './senders.ts';

const CHECK_MS = 30_000;
const QUERY = 'Syslog | project SyslogMessage';

interface Vault {
  readonly place: Place;
  readonly clock: ManualClock;
  readonly token: SoftToken;
  readonly bank: TestAgent;
  readonly plant: TestAgent;
  readonly reader: string;
  readonly ofPlant: string;
}

/** The bank's workspace is sealed under a key on a token of its own, the plant's under the service's. */
async function startVault(t: TestContext): Promise<Vault> {
  const token = await makeSoftToken(await temporaryFolder(t), '4711');
  await token.makeKey('01');
  const clock = createManualClock();
  const settings = { workspaces: { [BANK]: { encryption: { key: token.settings } } } };
  const place = await startPlace(t, { clock, settings });
  const [bank, plant] = [await agentOf(place, BANK), await agentOf(place, PLANT)];
  const [reader, ofPlant] = [await place.token('reader'), await place.token('reader', PLANT)];
  assert.equal((await sendSyslog(place, bank, ['of the bank'])).status, 200);
  assert.equal((await sendSyslog(place, plant, ['of the plant'])).status, 200);
  return { place, clock, token, bank, plant, reader, ofPlant };
}

async function eventsOfKey(place: Place): Promise<string[]> {
  return (await place.audit()).filter(({ action, on }) => action.startsWith('key.') && on === BANK).map(({ action }) => action);
}

test('the customer takes the key away: within a minute nothing of that workspace is taken or answered, until it is given back', async (t) => {
  const { place, clock, token, bank, plant, reader, ofPlant } = await startVault(t);
  const owner = await place.token('owner');
  const ask = (): Promise<Answer> => place.ask(question(BANK, QUERY, reader));
  assert.deepEqual(rowsOf(await ask()), [['of the bank']]);

  await token.takeAway();
  clock.advance(CHECK_MS);
  const taken = ['of the bank'];
  const refused = await eventually('uploads are refused', async (): Promise<Reply | false> => {
    const word = `before it was noticed ${taken.length}`;
    const reply = await sendSyslog(place, bank, [word]);
    if (reply.status === 200) taken.push(word);
    return reply.status !== 200 && reply;
  });
  assert.equal(refused.status, 503);
  assert.match(refused.text, new RegExp(`tables of workspace ${BANK} are closed.*its key is not there.*Give the key back`));
  // Where the key lies is for the operator, not for senders.
  assert.doesNotMatch(refused.text, /softhsm|\/tmp|pin/i);
  const shown = (await place.operator('GET', `/workspaces/${BANK}/key`)) as { readonly available: boolean; readonly reason: string };
  assert.equal(shown.available, false);
  assert.match(shown.reason, /token/);
  const unanswered = await ask();
  assert.equal(unanswered.status, 503);
  assert.match(unanswered.text, /Give the key back/);
  const metadata = await place.ask({ path: `/v1/workspaces/${BANK}/metadata`, token: reader });
  assert.equal(metadata.status, 503);
  await assert.rejects(place.local().query(BANK, { limit: 10 }), /key/);
  for (const wanted of [
    { path: `/workspaces/${BANK}/purge`, body: { table: 'Syslog', filters: [{ column: 'SyslogMessage', operator: '==', value: 'of the bank' }] } },
    { path: `/workspaces/${BANK}/tables` },
  ]) {
    const answer = await place.ask({ ...wanted, token: owner });
    assert.deepEqual([answer.word, /[Gg]ive the key back/.test(answer.text)], ['503 ServiceUnavailableError', true], answer.text);
  }
  assert.equal((await sendSyslog(place, plant, ['meanwhile'])).status, 200);
  assert.equal(rowsOf(await place.ask(question(PLANT, QUERY, ofPlant))).length, 2);
  const [incident] = await place.incidents('key-taken-away');
  assert.deepEqual([incident?.source, incident?.state, incident?.severity], [`workspace ${BANK}`, 'detected', 'error']);

  // Another start without the key is no way around it.
  await place.stop();
  await place.start();
  assert.equal((await ask()).status, 503);
  assert.equal((await sendSyslog(place, bank, ['too late'])).status, 503);
  assert.equal((await sendSyslog(place, plant, ['and on'])).status, 200);

  await token.giveBack();
  clock.advance(CHECK_MS);
  await eventually('queries are answered', async () => (await ask()).status === 200);
  assert.equal((await sendSyslog(place, bank, ['in time'])).status, 200);
  // What was acknowledged, and nothing of what was refused.
  assert.deepEqual(
    rowsOf(await ask())
      .flat()
      .toSorted(),
    [...taken, 'in time'].toSorted(),
  );
  await eventually('the incident is contained', async () => (await place.incidents('key-taken-away'))[0]?.state === 'contained');
  const [was, ...others] = await place.incidents('key-taken-away');
  assert.deepEqual([was?.id, others.length], [incident?.id, 0]);
  assert.deepEqual(await eventsOfKey(place), ['key.taken-away', 'key.taken-away', 'key.given-back']);
});

test('another token with a key of the same name opens nothing and makes no new key', async (t) => {
  const { place, clock, token, reader, bank } = await startVault(t);
  assert.equal((await place.rows(BANK, QUERY)).length, 1);
  await place.stop();
  const keyFile = join(workspaceFolder(place.dataFolder, BANK), 'data-key.json');
  const before = await readFile(keyFile, 'utf8');
  const other = await makeSoftToken(await temporaryFolder(t), '4711');
  await other.makeKey('01');
  const settings = { workspaces: { [BANK]: { encryption: { key: other.settings } } } };
  const stolen = await startPlace(t, { clock, settings, more: { dataFolder: place.dataFolder } });
  const answer = await stolen.ask(question(BANK, QUERY, reader));
  assert.equal(answer.status, 503, answer.text);
  assert.ok(!answer.text.includes('of the bank'));
  assert.equal((await sendSyslog(stolen, bank, ['lost'])).status, 503);
  clock.advance(CHECK_MS);
  await eventually('it was looked again', () => clock.waits().includes(CHECK_MS));
  assert.equal((await stolen.ask(question(BANK, QUERY, reader))).status, 503);
  assert.equal(await readFile(keyFile, 'utf8'), before);
  await stolen.stop();
  await place.start();
  assert.deepEqual(await place.rows(BANK, QUERY), [['of the bank']]);
  assert.ok(token.pin.length > 0 && !place.lines.join('').includes(token.pin) && !stolen.lines.join('').includes(token.pin));
});

test('a data-key.json that was changed, or is gone, opens nothing and is not made anew', async (t) => {
  const { place, clock, reader } = await startVault(t);
  const keyFile = join(workspaceFolder(place.dataFolder, BANK), 'data-key.json');
  const right = await readFile(keyFile, 'utf8');
  const changes: Readonly<Record<string, string>> = {
    'another letter in the wrapped key': right.replace(
      /("(?:data|wrapped|key)": ?")([A-Za-z0-9+/])/,
      (_all, name: string, letter: string) => `${name}${letter === 'A' ? 'B' : 'A'}`,
    ),
    'no JSON': right.slice(0, -20),
    nothing: '',
  };
  for (const [what, changed] of Object.entries(changes)) {
    assert.notEqual(changed, right, what);
    await place.stop();
    await writeFile(keyFile, changed, { mode: 0o600 });
    await place.start();
    const answer = await place.ask(question(BANK, QUERY, reader));
    assert.equal(answer.status, 503, `${what}: ${answer.text}`);
    assert.equal(await readFile(keyFile, 'utf8'), changed, what);
  }
  await place.stop();
  await writeFile(keyFile, right, { mode: 0o600 });
  await place.start();
  clock.advance(CHECK_MS);
  await eventually('all is there', async () => (await place.ask(question(BANK, QUERY, reader))).status === 200);
  assert.deepEqual(await place.rows(BANK, QUERY), [['of the bank']]);
  assert.equal((await onboardAgain(place, await agentOf(place, BANK))).status, 200);
});
