import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Incident } from '../../../src/incidents/incident.ts';
import type { Notice } from '../../../src/incidents/notice.ts';
import { isSignedBy, SIGNATURE_HEADER, TIMESTAMP_HEADER } from '../../../src/incidents/webhook-signature.ts';
import { workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import { createIdentity, MAIL_PASSWORD, MAIL_USER, startHook, startMailbox } from '../../incidents/receivers.ts';
import { BANK, temporaryFolder } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { runCommand, runWell } from '../../support/run-relay.ts';
import { question } from './https.ts';
import { type Place, startPlace } from './place.ts';
import { agentOf, sendSyslog } from './senders.ts';

const SECRET = 'what only the receiver and this site know';

/** Flips one bit in the middle of each segment of the bank. */
async function damageSegments({ dataFolder }: Place): Promise<void> {
  const folder = join(workspaceFolder(dataFolder, BANK), 'segments');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.seg'));
  assert.ok(names.length > 0);
  for (const name of names) {
    const bytes = await readFile(join(folder, name));
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(join(folder, name), bytes);
  }
}

test('a changed byte in a sealed file: the query fails, people are told, and follow the incident to its end', async (t) => {
  const folder = await temporaryFolder(t);
  const identity = await createIdentity(folder);
  await using hook = await startHook(identity);
  await using mailbox = await startMailbox(identity);
  const [secretFile, passwordFile] = [join(folder, 'hook.secret'), join(folder, 'mail.password')];
  await writeFile(secretFile, SECRET, { mode: 0o600 });
  await writeFile(passwordFile, MAIL_PASSWORD, { mode: 0o600 });
  const { trustFile } = identity;
  const mail = { host: '127.0.0.1', port: mailbox.port, user: MAIL_USER, passwordFile, trustFile, from: 'relay@example.org', to: ['soc@example.org'] };
  const incidents = { webhook: { url: `https://127.0.0.1:${hook.port}/hook`, secretFile, trustFile }, mail };
  const place = await startPlace(t, { settings: { incidents } });
  const reader = await place.token('reader');
  const agent = await agentOf(place, BANK);
  await sendSyslog(
    place,
    agent,
    Array.from({ length: 200 }, (_, at) => `a line that says ${at}`),
  );
  assert.deepEqual(await place.rows(BANK, 'Syslog | count'), [[200]]);
  assert.deepEqual(await place.incidents(), []);

  await damageSegments(place);
  const refused = await eventually('a query meets the damage', async () => {
    const answer = await place.ask(question(BANK, 'Syslog | project SyslogMessage', reader));
    return answer.status !== 200 && answer;
  });
  assert.match(refused.text, /segment.*(?:changed|as it was written)/);
  assert.ok(!refused.text.includes('a line that says'));
  const told = (count: number): Promise<unknown> =>
    eventually(`${count} notices to each`, () => hook.received.length >= count && mailbox.mails.length >= count, 30_000);
  await told(1);

  const at = ['--local-workspace', place.dataFolder];
  const listed = JSON.parse(await runWell(['incidents', 'list', ...at, '--kind', 'integrity-failure', '--json'])) as Incident[];
  assert.deepEqual(
    listed.map(({ source, state, severity }) => [source, state, severity]),
    [[`workspace ${BANK}`, 'detected', 'error']],
  );
  const id = listed[0]?.id ?? '';
  for (const [step, state] of [
    ['assess', 'assessed'],
    ['contain', 'contained'],
    ['close', 'closed'],
  ] as const) {
    assert.match(await runWell(['incidents', step, id, '--comment', `we did: ${step}`, ...at]), new RegExp(`${id} is ${state}`));
  }
  // That somebody has looked is for the time line alone.
  await told(3);
  const back = await runCommand(['incidents', 'assess', id, '--comment', 'again', ...at]);
  assert.notEqual(back.code, 0);
  assert.match(back.err, /It is closed and stays so/);

  const shown = await runWell(['incidents', 'show', id, ...at]);
  for (const word of ['detected', 'assessed', 'contained', 'closed', 'we did: contain', `workspace ${BANK}`]) assert.ok(shown.includes(word), word);
  const notices = hook.received.map(({ body }) => JSON.parse(body) as Notice).filter(({ incident }) => incident.id === id);
  assert.deepEqual(
    notices.map(({ incident }) => incident.state),
    ['detected', 'contained', 'closed'],
  );
  for (const { headers, body } of hook.received) {
    const [timestamp, signature] = [TIMESTAMP_HEADER, SIGNATURE_HEADER].map((name) => String(headers[name]));
    assert.ok(isSignedBy(SECRET, { timestamp: timestamp ?? '', body, signature: signature ?? '' }));
  }
  assert.ok(mailbox.mails.every(({ isTls, to, text }) => isTls && to.includes('soc@example.org') && text.includes(id)));
  const everything = [...hook.received.map(({ body }) => body), ...mailbox.mails.map(({ text }) => text), shown, ...place.lines].join('\n');
  for (const secret of [SECRET, MAIL_PASSWORD, 'a line that says']) assert.ok(!everything.includes(secret), secret);
});

test('damage in what waits to be put in the tables is told, and everything around it is there', async (t) => {
  const place = await startPlace(t);
  const agent = await agentOf(place, BANK);
  await place.operator('POST', `/workspaces/${BANK}/processing`, { on: false });
  for (const word of ['first', 'damaged', 'third']) assert.equal((await sendSyslog(place, agent, [word])).status, 200);
  await place.stop();
  const staging = join(workspaceFolder(place.dataFolder, BANK), 'staging');
  const [name = '', ...others] = await readdir(staging);
  assert.deepEqual(others, []);
  const bytes = await readFile(join(staging, name));
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(join(staging, name), bytes);
  await place.start();
  assert.equal((await sendSyslog(place, agent, ['later'])).status, 200);
  assert.deepEqual((await place.rows(BANK, 'Syslog | project SyslogMessage')).flat().toSorted(), ['first', 'later', 'third']);
  const [incident] = await place.incidents('integrity-failure');
  assert.deepEqual([incident?.source, incident?.subject], [`workspace ${BANK}`, join(staging, name)]);
});
