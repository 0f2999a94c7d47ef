import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePrivateFolder } from '../../src/files.ts';
import { isSealed, newSealingKey, SEALING_KEY } from '../../src/own-secrets.ts';
import { sendBatches } from '../support/fleet.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { startCommand } from '../support/run-relay.ts';
import { BANK, startSite } from '../support/site.ts';

test('sealed secrets: a copied data folder shows no key, and without the sealing key the relay refuses, says why, and changes nothing', async () => {
  let credentials = '';
  await using site = await startSite({
    prepare: async (folder) => {
      credentials = join(folder, '..', 'credentials');
      await makePrivateFolder(credentials);
      await writeFile(join(credentials, SEALING_KEY), newSealingKey(), { mode: 0o600 });
    },
    launcher: (folder) => ['env', `CREDENTIALS_DIRECTORY=${join(folder, 'credentials')}`],
  });
  const { relay } = site;
  const { local, dataFolder } = site.upstream();
  const oracle = createOracle();
  const machines = await site.machines(2);
  await local.setFault({ mode: 'down' });
  await sendBatches(machines, oracle, 5);
  const { rootFingerprint } = await relay.status();
  await relay.end('SIGKILL');
  assert.ok(!relay.log().includes('plain file'));

  // Every file that holds a key of the relay's.
  for (const name of ['keys/cache.json', 'authority/root.key', 'authority/server.key', `upstream/${BANK}/identity.pem`])
    assert.ok(isSealed(await readFile(join(relay.dataFolder, name))), name);
  for (const { parentPath, name } of (await readdir(relay.dataFolder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()))
    assert.ok(!(await readFile(join(parentPath, name))).includes('PRIVATE KEY'), name);

  // As a disk in another machine: without the key, and with one that is not its own.
  const before = await contentOf(join(relay.dataFolder, 'keys'));
  await rename(join(credentials, SEALING_KEY), join(credentials, 'away'));
  const without = await startCommand(['start', '--config', relay.configFile], ['env', `CREDENTIALS_DIRECTORY=${credentials}`]).ended;
  await writeFile(join(credentials, SEALING_KEY), randomBytes(32).toString('base64'));
  const wrong = await startCommand(['start', '--config', relay.configFile], ['env', `CREDENTIALS_DIRECTORY=${credentials}`]).ended;
  assert.deepEqual([without.code, wrong.code], [1, 1]);
  assert.match(without.err, /cache\.json is sealed and cannot be opened: the credential "sealing-key" was not given.*relay restore/);
  assert.match(wrong.err, /sealed under another key/);
  assert.deepEqual(await contentOf(join(relay.dataFolder, 'keys')), before);

  await rename(join(credentials, 'away'), join(credentials, SEALING_KEY));
  await local.setFault({ mode: 'none' });
  assert.equal((await relay.start()).rootFingerprint, rootFingerprint);
  await everythingArrives(oracle, dataFolder, BANK);
});

async function contentOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'base64')] as const)));
}
