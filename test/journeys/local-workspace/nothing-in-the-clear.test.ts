import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { UPLOAD_PATH } from '../../../src/oms-protocol/paths.ts';
import { APP } from '../../local-workspace/intake/ingestion/cloud.ts';
import { BANK, post, temporaryFolder } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { question } from './https.ts';
import { foundIn, openedFiles } from './opened-files.ts';
import { startPlace } from './place.ts';
import { agentOf, BANK_RULE, RULES, sendCustom, sendLedger, sendSyslog, signIn } from './senders.ts';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A thousand words that stand nowhere else. */
const MARKERS: readonly string[] = Array.from({ length: 1_000 }, (_, at) => `Marker${String(at).padStart(4, '0')}Q${(at * 7919).toString(36)}`);
const words = (from: number, to: number): readonly string[] => MARKERS.slice(from, to);

/** The markers that `strings` finds in any file below the folder, in 8-bit and in 16-bit characters. */
async function stringsIn(folder: string): Promise<Set<string>> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  assert.ok(files.length > 0);
  const found = new Set<string>();
  for (const encoding of ['S', 'l', 'b']) {
    const { stdout } = await run('strings', ['--all', '--bytes=6', `--encoding=${encoding}`, ...files], { maxBuffer: MAX_OUTPUT_BYTES });
    for (const [marker] of stdout.matchAll(/Marker\d{4}Q\w*/g)) found.add(marker);
    // The same words in base64 and in hexadecimal digits are no better.
    for (const word of MARKERS) {
      const bytes = Buffer.from(word);
      if (stdout.includes(bytes.toString('hex')) || stdout.includes(bytes.toString('base64').slice(0, 12))) found.add(word);
    }
  }
  return found;
}

test('of a thousand words in data, questions, purges and saved queries none is on disk in the clear', async (t) => {
  const outside = await temporaryFolder(t);
  const [folder, path] = [join(outside, 'private'), join(outside, 'private.keys')];
  await writeFile(path, `one ${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const settings = { workspaces: { [BANK]: { privateStorage: { folder, key: { kind: 'file', path } } } } };
  const place = await startPlace(t, { settings, more: { ingestion: RULES } });
  const { owner, reader } = await place.tokens('owner', 'reader');
  const agent = await agentOf(place, BANK);
  const token = await signIn(place, APP);

  assert.equal((await sendSyslog(place, agent, words(0, 250))).status, 200);
  assert.equal(
    (
      await sendCustom(
        place,
        agent,
        'Ledger',
        words(250, 500).map((Text) => ({ Text })),
      )
    ).status,
    200,
  );
  const columns = Object.fromEntries(words(500, 550).map((name, at) => [name, at]));
  assert.equal((await sendCustom(place, agent, 'Wide', [columns])).status, 200);
  const records = words(550, 750).map((Text, Amount) => ({ TimeGenerated: new Date().toISOString(), Text, Amount }));
  assert.equal((await sendLedger(place, { token, rule: BANK_RULE, records })).status, 204);
  // What is refused leaves nothing either, nor do the words for it.
  const refused = { path: UPLOAD_PATH, body: `{"DataType":"LINUX_SYSLOGS_BLOB","DataItems":[{"Message":"${words(750, 800).join(' ')}"}` };
  assert.equal((await post(place.listening(), agent.identity, refused)).status, 400);

  for (const word of words(800, 850)) {
    for (const query of [`Syslog | where SyslogMessage has "${word}"`, `Syslog | where SyslogMessage == h"${word}"`]) {
      assert.equal((await place.ask(question(BANK, query, reader))).status, 200);
    }
  }
  for (const word of words(850, 870)) assert.equal((await place.ask(question(BANK, `Syslog | where ${word} == 1 |`, reader))).status, 400);
  for (const [at, word] of words(870, 900).entries()) {
    const saved = {
      method: 'PUT',
      path: `/v1/workspaces/${BANK}/savedQueries/q${at}`,
      token: owner,
      body: { query: `Syslog | where Computer == "${word}"`, description: word },
    };
    assert.ok((await place.ask(saved)).status < 300);
  }
  const purge = { path: `/workspaces/${BANK}/purge`, token: owner };
  const filtered = (value: unknown): object => ({ table: 'Syslog', filters: [{ column: 'SyslogMessage', operator: 'in', value }] });
  // One cannot be used; two are taken, and wait: neither is done when the lock comes.
  const unusable = { table: 'Syslog', filters: [{ column: 'TimeGenerated', operator: '>', value: words(950, 951)[0] }] };
  assert.equal((await place.ask({ ...purge, body: unusable })).status, 400);
  await place.operator('POST', `/workspaces/${BANK}/processing`, { on: false });
  for (const values of [words(0, 20), words(900, 950)]) assert.equal((await place.ask({ ...purge, body: filtered(values) })).status, 202);
  assert.equal((await place.ask({ path: `/workspaces/${BANK}/lock`, token: owner, body: { reason: 'case 1' } })).status, 200);
  await place.operator('POST', `/workspaces/${BANK}/processing`, { on: true });
  assert.equal((await sendSyslog(place, agent, words(951, 1_000))).status, 200);

  assert.deepEqual([...(await stringsIn(place.dataFolder))], []);
  await place.stop();
  assert.deepEqual([...(await stringsIn(place.dataFolder)), ...(await stringsIn(folder))], []);
  const logged = place.lines.join('\n');
  assert.deepEqual(
    MARKERS.filter((word) => logged.includes(word)),
    [],
  );

  // They are there for whoever has the key, and would be found.
  const opened = foundIn(await openedFiles(place, BANK), words(0, 850));
  assert.ok(opened.segments >= 700, `${opened.segments} words are in the segments`);
  const plain = join(place.dataFolder, 'plain.txt');
  for (const written of [MARKERS.join(' '), Buffer.from(MARKERS.join(' '), 'utf16le'), Buffer.from(MARKERS.join(' ')).toString('hex')]) {
    await writeFile(plain, written);
    assert.equal((await stringsIn(place.dataFolder)).size, MARKERS.length);
  }
  await rm(plain);
  await place.start();
  await eventually('it is there again', async () => (await place.rows(BANK, 'Ledger_CL | count')).length === 1);
});
