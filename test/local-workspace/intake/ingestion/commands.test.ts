import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { BANK, PLANT, temporaryFolder } from '../../rig.ts';
import { APP, appCertificate, declarationOf, RULE, SCOPE, SECRET, TENANT } from './cloud.ts';

const COMMAND = join(import.meta.dirname, '..', '..', 'run-command.ts');
const run = promisify(execFile);

async function command(args: readonly string[]): Promise<string> {
  return (await run(process.execPath, [COMMAND, ...args])).stdout;
}

async function curl(args: readonly string[]): Promise<string> {
  return (await run('curl', ['--silent', '--show-error', '--noproxy', '*', ...args])).stdout;
}

async function writeRules(folder: string): Promise<string> {
  const path = join(folder, 'rules.json');
  await writeFile(join(folder, 'app.secret'), `${SECRET}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'app.pem'), appCertificate().certificate);
  const apps = [{ clientId: APP, secretFiles: ['app.secret'], certificateFiles: ['app.pem'] }];
  await writeFile(path, JSON.stringify(declarationOf({}, { apps: apps as never })), { mode: 0o600 });
  return path;
}

async function start(t: TestContext, data: string, more: readonly string[]): Promise<{ readonly url: string; readonly root: string }> {
  const args = [COMMAND, 'start', '--data', data, '--port', '0', '--workspace', BANK, '--workspace', PLANT, '--json', ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return JSON.parse(line) as { url: string; root: string };
}

test('curl signs in and sends with the rules of a file, and the commands show what came', async (t) => {
  const folder = await temporaryFolder(t);
  const data = join(folder, 'data');
  const { url, root } = await start(t, data, ['--rules', await writeRules(folder)]);
  const form = { grant_type: 'client_credentials', client_id: APP, client_secret: SECRET, scope: SCOPE };
  const fields = Object.entries(form).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);
  const answer = await curl(['--cacert', root, `${url}/${TENANT}/oauth2/v2.0/token`, ...fields]);
  const { access_token: token } = JSON.parse(answer) as { access_token: string };
  const api = `${url}/dataCollectionRules/${RULE}/streams/Custom-Syslog?api-version=2023-01-01`;
  const headers = ['-H', `Authorization: Bearer ${token}`, '-H', 'Content-Type: application/json'];
  const status = await curl(['--cacert', root, api, ...headers, '-d', '[{"HostName":"web01","SyslogMessage":"sent with curl"}]', '-w', '%{http_code}']);
  assert.equal(status, '204');

  const [counted] = JSON.parse(await command(['count', '--data', data, '--tables', '--json'])) as { table: string; rows: number }[];
  assert.deepEqual([counted?.table, counted?.rows], ['Syslog', 1]);
  assert.match(await command(['count', '--data', data, '--tables']), /TABLE .*FILL/);
  const queried = await command(['records', '--data', data, '--workspace', BANK, '--table', 'syslog', '--where', 'with curl']);
  assert.match(queried, /TIME GENERATED[\s\S]*sent with curl/);
  assert.match(await command(['records', '--data', data, '--workspace', PLANT, '--table', 'Syslog']), /No such row/);

  await command(['fault', 'status', '--status', '502', '--path', 'ingestion', '--times', '1', '--data', data]);
  assert.equal(await curl(['--cacert', root, api, ...headers, '-d', '[]', '-o', '/dev/null', '-w', '%{http_code}']), '502');
  assert.equal(await curl(['--cacert', root, api, ...headers, '-d', '[]', '-w', '%{http_code}']), '204');
});

test('rule example writes a file that start takes', async (t) => {
  const folder = await temporaryFolder(t);
  const rules = join(folder, 'rules.json');
  await writeFile(rules, await command(['rule', 'example', '--workspace', BANK]), { mode: 0o600 });
  await start(t, join(folder, 'data'), ['--rules', rules]);
  const listed = await command(['rule', 'list', '--data', join(folder, 'data')]);
  assert.match(listed, /dcr-[0-9a-f]{32} .*Custom-Syslog_CL → Syslog_CL/);
});

test('rule set puts a file in the place of what was declared, and rule list shows no secret', async (t) => {
  const folder = await temporaryFolder(t);
  const data = join(folder, 'data');
  await start(t, data, []);
  assert.match(await command(['rule', 'list', '--data', data]), /No rules/);
  const rules = await writeRules(folder);
  const shown = await command(['rule', 'set', rules, '--data', data, '--json']);
  assert.ok(shown.includes(RULE) && !shown.includes(SECRET));
  assert.equal(await command(['rule', 'list', '--data', data, '--json']), shown);
  const text = (await readFile(rules, 'utf8')).replace(RULE, 'my-rule');
  await writeFile(rules, text);
  await assert.rejects(command(['rule', 'set', rules, '--data', data]), /rules\.0\.immutableId: must be dcr-/);
});
