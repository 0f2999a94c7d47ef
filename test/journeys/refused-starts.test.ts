import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { sendBatches } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { runCommand } from '../support/run-relay.ts';
import { BANK, startSite } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a relay with a wrong configuration does not start: it names every mistake and leaves no trace', async () => {
  await using folder = await temporaryFolder();
  const configFile = join(folder.path, 'relay.yaml');
  const dataFolder = join(folder.path, 'data');
  await writeFile(configFile, `data: ${dataFolder}\nretry: { every: soon }\nintake: { prot: 8443 }\nworkspaces: [{ id: nonsense, sharedKeyFile: x }]\n`);
  const { code, out, err } = await runCommand(['start', '--config', configFile]);
  assert.equal(code, 2);
  assert.equal(out, '');
  assert.match(err, /retry\.every: .*soon/);
  assert.match(err, /intake\.prot/);
  assert.match(err, /workspaces\[0\]\.id: .*nonsense/);
  assert.doesNotMatch(err, /^\s+at /m, 'no stack for an operator');
  assert.equal(existsSync(dataFolder), false);
});

test('a second relay on the same data folder is refused in words and harms nothing', async () => {
  await using site = await startSite();
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  const machines = await site.machines(2);
  await local.setFault({ mode: 'down' });
  await sendBatches(machines, oracle, 5);

  const second = JSON.parse(await readFile(relay.configFile, 'utf8')) as Record<string, unknown>;
  for (const control of [{}, { control: { socket: join(site.folder, 'second.sock') } }]) {
    const configFile = join(site.folder, 'second.json');
    await writeFile(configFile, JSON.stringify({ ...second, ...control, intake: { address: '127.0.0.1', port: 0 } }));
    const { code, err } = await runCommand(['start', '--config', configFile]);
    assert.equal(code, 1);
    assert.match(err, /another relay runs with this data folder/);
  }

  await sendBatches(machines, oracle, 5);
  await local.setFault({ mode: 'none' });
  assert.equal((await everythingArrives(oracle, dataFolder, BANK)).repeated, 0);
  await eventually('the cache is empty', async () => (await relay.status()).cache.usedBytes === 0);
});

test('a relay whose port is taken says which one, ends with 1 and lets go of everything', async () => {
  await using site = await startSite();
  const folder = join(site.folder, 'other');
  const other = JSON.parse(await readFile(site.relay.configFile, 'utf8')) as Record<string, unknown>;
  const configFile = join(site.folder, 'other.json');
  await writeFile(configFile, JSON.stringify({ ...other, data: folder, intake: { address: '127.0.0.1', port: site.relay.port() } }));
  const { code, err } = await runCommand(['start', '--config', configFile]);
  assert.equal(code, 1);
  assert.match(err, new RegExp(`127\\.0\\.0\\.1:${site.relay.port()}`));
});
