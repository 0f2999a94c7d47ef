import assert from 'node:assert/strict';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretFile } from '../src/secret-file.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

describe('a secret file', () => {
  it('is read again only when it was touched', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'secret');
    const warnings: string[] = [];
    await writeFile(path, 'first\n', { mode: 0o644 });
    const file = createSecretFile(path, (message) => void warnings.push(message));
    assert.deepEqual([await file.read(), await file.read()], ['first', 'first']);
    assert.equal(warnings.length, 1);
    await writeFile(path, 'again\n');
    assert.equal(await file.read(), 'again');
    await writeFile(`${path}.new`, 'moved\n', { mode: 0o600 });
    await rename(`${path}.new`, path);
    assert.equal(await file.read(), 'moved');
    await chmod(path, 0o644);
    assert.equal(await file.read(), 'moved');
    assert.equal(warnings.length, 3);
  });

  it('that is missing or empty gives nothing, not even what it held before', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'secret');
    const file = createSecretFile(path, () => {});
    await assert.rejects(file.read(), { code: 'relay.secret.unreadable' });
    await writeFile(path, 'first', { mode: 0o600 });
    assert.equal(await file.read(), 'first');
    await writeFile(path, '\n');
    await assert.rejects(file.read(), { code: 'relay.secret.empty' });
    await rm(path);
    await assert.rejects(file.read(), { code: 'relay.secret.unreadable' });
  });
});
