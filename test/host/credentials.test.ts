import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openCredentialStore } from '../../src/host/credentials.ts';
import { systemPrograms } from '../../src/host/run-program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// The key of the machine that systemd-creds uses is made once, as at an appliance's first boot.
const { code } = await systemPrograms.run('systemd-creds', ['setup']);
const skip = code === 0 && process.getuid?.() === 0 ? false : 'systemd-creds needs systemd 250 or later, and root';

describe('openCredentialStore', { skip }, () => {
  it('keeps secrets encrypted by the real systemd-creds, and opens them again, whatever their bytes', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'credentials');
    const store = await openCredentialStore(path, systemPrograms);
    const secret = randomBytes(200);
    await store.put('workspace-3f1c2d4e', secret);
    await store.put('sealing-key', 'marker-of-a-secret');
    assert.deepEqual(await store.list(), ['sealing-key', 'workspace-3f1c2d4e']);
    assert.deepEqual(await store.get('workspace-3f1c2d4e'), secret);
    assert.ok(!(await readFile(join(path, 'sealing-key'))).includes('marker-of-a-secret'));
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.equal((await stat(join(path, 'sealing-key'))).mode & 0o777, 0o600);
    await store.remove('sealing-key');
    assert.equal(await store.get('sealing-key'), undefined);
  });

  it('refuses a credential that was put in the place of another', async () => {
    await using folder = await temporaryFolder();
    const store = await openCredentialStore(folder.path, systemPrograms);
    await store.put('one', 'secret of one');
    await rename(join(folder.path, 'one'), join(folder.path, 'two'));
    await assert.rejects(store.get('two'), { code: 'relay.host.credential-failed', message: /two could not be opened/ });
  });

  it('takes no name that leads elsewhere', async () => {
    await using folder = await temporaryFolder();
    const store = await openCredentialStore(folder.path, systemPrograms);
    for (const name of ['../x', 'a/b', '', '.hidden', 'A']) await assert.rejects(store.put(name, 'x'), { code: 'relay.host.credential-failed' });
  });
});

it('says what systemd-creds said when it fails, and nothing of the secret', async () => {
  await using folder = await temporaryFolder();
  const failing = {
    run: async (_program: string, [verb]: readonly string[]) => ({ code: verb === 'has-tpm2' ? 0 : 1, out: '', err: 'first\nTPM2 device not found.\n' }),
  };
  const store = await openCredentialStore(folder.path, failing);
  assert.equal(store.seal, 'host+tpm2');
  const error = await store.put('one', 'marker').then(
    () => assert.fail('it was kept'),
    (thrown: unknown) => thrown as Error,
  );
  assert.match(error.message, /TPM2 device not found/);
  assert.ok(!error.message.includes('marker'));
});
