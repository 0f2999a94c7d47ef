/** What is refused says what was wrong, the value found, and what to do: for who reads it alone, at night. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { messageOf } from '../../../src/errors.ts';
import { workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import { readSettings } from '../../../src/local-workspace/settings.ts';
import { UPLOAD_PATH } from '../../../src/oms-protocol/paths.ts';
import { BANK, createAgent, PLANT, post, temporaryFolder } from '../../local-workspace/rig.ts';
import { runCommand } from '../../support/run-relay.ts';
import type { Wanted } from './https.ts';
import { startPlace } from './place.ts';
import { agentOf, BANK_RULE, RULES, sendCustom, sendLedger, sendSyslog } from './senders.ts';

const AT = `/workspaces/${BANK}`;
const QUERY = `/v1/workspaces/${BANK}/query`;

/** What no message may hold: a place in the code, nothing found, a whole token. */
const NEVER = /undefined|\[object|\.ts:\d|node:internal|NaN|rlw_[0-9a-f]{12}_\w{10}/;

function judge(message: string, expected: RegExp): void {
  assert.match(message, expected);
  assert.doesNotMatch(message, NEVER);
}

/** Refusals of HTTP: who asks, what, and the words. */
const REFUSALS: readonly (readonly [who: 'owner' | 'reader' | 'nobody' | 'a stranger', wanted: Omit<Wanted, 'token'>, words: RegExp])[] = [
  ['nobody', { path: QUERY, body: { query: 'Syslog' } }, /there is no access token\. Send one in the header/],
  ['a stranger', { path: QUERY, body: { query: 'Syslog' } }, /The access token is invalid: .*\./],
  ['reader', { path: `${AT}/purge`, body: {} }, /the reader .* may not do "purge\.request" here\. Ask somebody who is data-purger or owner/],
  ['reader', { path: `/workspaces/${PLANT}` }, /no access to the workspace of the request\. Ask an owner of that workspace/],
  [
    'owner',
    { path: `${AT}/purge`, body: { table: 'Nothing', filters: [{ column: 'A', operator: '==', value: 'x' }] } },
    /no table "Nothing"\. Look at the list/,
  ],
  ['owner', { path: `${AT}/purge`, body: { table: 'Syslog', filters: [] } }, /filters: must have at least one; a whole table is deleted with DELETE/],
  [
    'owner',
    { path: `${AT}/purge`, body: { table: 'Syslog', filters: [{ column: 'TenantId', operator: '==', value: BANK }] } },
    /All rows of a table have the same TenantId\. Filter on another column, or delete/,
  ],
  ['owner', { path: `${AT}/purge`, body: { table: 'Syslog', filters: [{ column: 'Nothing', operator: '==', value: 'x' }] } }, /column "?Nothing"?/],
  ['owner', { path: `${AT}/purge`, body: { table: 'Syslog', filters: [{ column: 'Computer', operator: '!=', value: 'x' }] } }, /filters\.0\.operator: .*"=="/],
  ['owner', { method: 'DELETE', path: `${AT}/tables/Syslog?confirm=Syslog` }, /Syslog is a table of the service: only custom tables.*Purge its rows, or set/],
  [
    'owner',
    { method: 'DELETE', path: `${AT}/tables/Ledger_CL` },
    /deletes all rows of Ledger_CL for good\. To have it, send the same with \?confirm=Ledger_CL/,
  ],
  ['owner', { method: 'PATCH', path: AT, body: { properties: { retentionInDays: 3 } } }, /retentionInDays: must be a whole number from 4 to 730/],
  [
    'owner',
    { method: 'PATCH', path: AT, body: { properties: { retentionInDays: 5 } } },
    /It takes effect in 30 days.*can be taken back until then\. To have it, send .*"confirm": true/,
  ],
  ['owner', { path: `${AT}/lock`, body: { reason: ' ' } }, /reason: must say why/],
  ['owner', { method: 'DELETE', path: `${AT}/lock`, body: { reason: 'x' } }, /is not locked: there is nothing to lift/],
  ['owner', { path: `${AT}/operations/purge-1` }, /no operation "purge-1"\. Look at the list/],
  ['owner', { path: `${AT}/tokens`, body: { name: 'x', role: 'root' } }, /role: .*"owner"/],
  ['owner', { path: `${AT}/access-requests`, body: { role: 'reader', reason: 'x' } }, /"support" is missing: name the id/],
  ['reader', { path: QUERY, body: { query: 'Syslog | wher x' } }, /wher.*line \[1,\d+\]/],
  ['reader', { path: QUERY, body: { query: 'Nothing | count' } }, /Nothing/],
  ['reader', { path: QUERY, body: { query: `workspace("${PLANT}").Syslog` } }, /'\(' on line \[1,10\]/],
  ['reader', { path: QUERY, body: { query: '' } }, /query is empty\. Write one such as: Heartbeat/],
  ['reader', { path: QUERY, body: { query: 'Syslog', timespan: 'a week' } }, /timespan.*a week/],
  ['reader', { path: `${QUERY}s` }, /is no path of this API\. Queries go to POST \/v1\/workspaces/],
];

test('refusals over HTTP name the cause and the next step', async (t) => {
  const place = await startPlace(t);
  const agent = await agentOf(place, BANK);
  await sendSyslog(place, agent, ['a']);
  await sendCustom(place, agent, 'Ledger', [{ Text: 'b' }]);
  assert.equal((await place.rows(BANK, 'Syslog | count')).length, 1);
  const tokens = { ...(await place.tokens('owner', 'reader')), nobody: undefined, 'a stranger': `rlw_0123456789ab_${'x'.repeat(43)}` };
  for (const [who, wanted, words] of REFUSALS) {
    const { status, json, text } = await place.ask({ ...wanted, token: tokens[who] });
    assert.ok(status >= 400 && status < 500, `${wanted.path}: ${status} ${text}`);
    const { message, innererror } = (json as { error: { message: string; innererror?: { message: string; innererror?: { message: string } } } }).error;
    judge([message, innererror?.message, innererror?.innererror?.message].filter((part) => part !== undefined).join(' '), words);
  }
});

test('refusals of senders name the cause and the next step', async (t) => {
  const place = await startPlace(t, { more: { ingestion: RULES } });
  const agent = await agentOf(place, BANK);
  const stranger = await createAgent(BANK);
  const cases = [
    [await sendSyslog(place, stranger, ['a']), /Certificate [0-9a-f]{16}… is not registered with a workspace here\. Onboard it with the workspace's key/],
    [await post(place.listening(), undefined, { path: UPLOAD_PATH, body: '{}' }), /has no client certificate\. Send with the one that was onboarded/],
    [await post(place.listening(), agent.identity, { path: UPLOAD_PATH, body: '{"DataType":' }), /not .*JSON/],
    [await post(place.listening(), agent.identity, { path: UPLOAD_PATH, body: '{}', headers: { 'content-encoding': 'br' } }), /not identity, deflate or gzip/],
    [await sendCustom(place, agent, '1', []), /Log-Type is not a letter followed by/],
    [await sendLedger(place, { token: 'x', rule: BANK_RULE, records: [] }), /token/],
    [await sendLedger(place, { token: 'x', rule: `dcr-${'0'.repeat(32)}`, records: [] }), /token|rule/],
  ] as const;
  for (const [{ status, text }, words] of cases) {
    assert.ok(status >= 400 && status < 500, text);
    judge(text, words);
  }
});

test('a start that cannot be says why, and what to do', async (t) => {
  const place = await startPlace(t);
  const again = await startPlace(t, { more: { dataFolder: place.dataFolder } }).catch((error: unknown) => messageOf(error));
  judge(String(again), /Another local workspace runs on .*Stop it, or choose another --data folder/);
  await place.stop();

  const register = join(place.dataFolder, 'workspaces', `${BANK}.sqlite`);
  for (const [file, words] of [
    [join(workspaceFolder(place.dataFolder, BANK), 'catalogue.sqlite'), /catalogue .* has format 99, this release reads \d+; use the newer release/],
    [register, /database .* has format 99, this release reads \d+; use the newer release/],
  ] as const) {
    const set = (version: number): number => {
      const database = new DatabaseSync(file);
      const { before } = database.prepare('SELECT user_version AS before FROM pragma_user_version').get() as { before: number };
      database.exec(`PRAGMA user_version = ${version}`);
      database.close();
      return before;
    };
    const before = set(99);
    judge(await place.start().then(String, (error: unknown) => messageOf(error)), words);
    set(before);
  }
  await place.start();

  for (const [settings, words] of [
    [{ workspaces: { bank: {} } }, /workspaces\.bank: must be the GUID of a workspace.*Correct the file/],
    [{ workspaces: { [BANK]: { retention: { days: 3 } } } }, /retention\.days: .*4.*Correct the file/],
    [{ workspaces: { [BANK]: { encryption: { key: { kind: 'file', path: 'here' } } } } }, /path: must be an absolute path/],
    [{ workspaces: { [BANK]: { colour: 'red' } } }, /colour/],
    ['x', /settings of the local workspace cannot be used/],
  ] as const) {
    assert.throws(
      () => readSettings(settings),
      (error: Error) => {
        judge(error.message, words);
        return true;
      },
    );
  }
});

test('commands say what to do when nothing runs, or what was typed is nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const settings = join(folder, 'settings.yaml');
  await writeFile(settings, 'workspaces: { bank: {} }');
  for (const [args, words] of [
    [['query', '--data', folder, '--workspace', BANK, 'Syslog'], /No local workspace runs on .*Start one with: relay local-workspace start/],
    [['purge', 'Syslog', '--data', folder, '--workspace', BANK, '--filter', 'nonsense', '--yes'], /must be one of/],
    [['lock', 'set', '--data', folder, '--workspace', 'bank', '--reason', 'x'], /must be a GUID such as/],
    [
      ['start', '--data', folder, '--workspace', BANK, '--port', '0', '--settings', settings],
      /workspaces\.bank: must be the GUID of a workspace\. Correct the file, and start again/,
    ],
  ] as const) {
    const { code, err } = await runCommand(['local-workspace', ...args]);
    assert.notEqual(code, 0, args.join(' '));
    judge(err, words);
  }
});
