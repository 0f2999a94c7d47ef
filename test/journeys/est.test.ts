import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Agent } from '../../src/management-group/agent.ts';
import { eventually } from '../support/eventually.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, startSite } from '../support/site.ts';

const run = promisify(execFile);

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [, SECTION = ''] = README.split('### Enrol any client with openssl and curl');
/** What an operator pastes on a machine that has openssl and curl, and `root.pem` and `enrolment.key` in the folder. */
const [ENROL = '', RENEW = ''] = [...SECTION.matchAll(/^```\n(.*?)^```$/gms)].map(([, lines = '']) => lines);
const SEND = `curl -sS --fail-with-body --cacert root.pem --cert agent.pem --key agent.key -d '{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{"Host":"web01","Message":"enrolled by EST"}]}' $RELAY/OperationalData.svc/PostJsonDataItems`;

test('five pasted lines of openssl and curl enrol a machine that waits for approval, renew it, and it sends until it is removed; then the list says so', async () => {
  await using site = await startSite({ sections: { managementGroup: { approve: 'none' } } });
  const { relay } = site;
  const folder = join(site.folder, 'machine');
  await mkdir(folder);
  const paste = async (script: string): Promise<void> => {
    await run('bash', ['-e', '-o', 'pipefail', '-c', `RELAY=https://localhost:${relay.port()}\n${script}`], { cwd: folder });
  };
  const relayCommand = (...args: string[]): Promise<string> => runWell([...args, '--config', relay.configFile]);
  const agent = async (): Promise<Agent | undefined> => (JSON.parse(await relayCommand('agents', 'list', '--json')) as Agent[])[0];
  await copyFile(relay.rootFile, join(folder, 'root.pem'));
  await relayCommand('enrolment-key', 'create', '--workspace', BANK, '--name', 'est', '--out', join(folder, 'enrolment.key'));

  await assert.rejects(paste(ENROL), 'it waits, so there is no certificate yet');
  assert.match(await readFile(join(folder, 'agent.p7'), 'utf8'), /waits for: relay agents approve/);
  const waiting = await agent();
  assert.equal(waiting?.state, 'pending');
  await relayCommand('agents', 'approve', waiting?.agentId ?? '');
  // The request stays the same: only its second and third line again.
  const [, ...again] = ENROL.split('\n');
  await paste(again.join('\n'));
  const first = await readFile(join(folder, 'agent.pem'), 'utf8');
  await paste(RENEW);
  assert.notEqual(await readFile(join(folder, 'agent.pem'), 'utf8'), first);
  await paste(SEND);
  await eventually('it is in the workspace', async () => site.upstream().local.count().length > 0);

  await relayCommand('agents', 'remove', waiting?.agentId ?? '', '--yes');
  await assert.rejects(paste(SEND), 'a removed agent is refused');
  const { stdout } = await run('curl', ['-sS', '--cacert', relay.rootFile, `https://localhost:${relay.port()}/pki/relay.crl`], { encoding: 'buffer' });
  const list = join(folder, 'relay.crl');
  await writeFile(list, execFileSync('openssl', ['crl', '-inform', 'DER'], { input: stdout }));
  const verify = ['verify', '-crl_check', '-CAfile', relay.rootFile, '-CRLfile', list, join(folder, 'agent.pem')];
  await assert.rejects(run('openssl', verify), /certificate revoked/);

  const entries = await relayCommand('audit', 'list', '--json');
  for (const action of ['agent.enrol', 'agent.renew', 'agent.approve']) assert.ok(entries.includes(action), action);
});
