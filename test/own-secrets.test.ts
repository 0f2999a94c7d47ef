import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { newSealingKey, openOwnSecrets, ownSecretsWith, plainSecrets, readSealingKey, SEALING_KEY } from '../src/own-secrets.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const KEY = readSealingKey(newSealingKey());
const SECRET = 'marker-of-a-secret';

describe('own secrets', () => {
  it('are plain files of mode 0600 where the machine has no sealing key', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'roots.json');
    const secrets = await openOwnSecrets(undefined);
    await secrets.write(path, SECRET);
    assert.equal(secrets.isSealing, false);
    assert.equal(await readFile(path, 'utf8'), SECRET);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await secrets.read(path))?.toString(), SECRET);
  });

  it('are sealed under the key of the credential store, and come back', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, SEALING_KEY), `${KEY.toString('base64')}\n`);
    const secrets = await openOwnSecrets(folder.path);
    const path = join(folder.path, 'roots.json');
    for (const content of [SECRET, '', randomBytes(100_000)]) {
      await secrets.write(path, content);
      assert.ok(!(await readFile(path)).includes(SECRET));
      assert.deepEqual(await secrets.read(path), Buffer.from(content));
    }
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(secrets.isSealing, true);
  });

  it('never look alike twice, though the content is the same', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'roots.json');
    const secrets = ownSecretsWith(KEY);
    await secrets.write(path, SECRET);
    const first = await readFile(path, 'utf8');
    await secrets.write(path, SECRET);
    assert.notEqual(await readFile(path, 'utf8'), first);
  });

  it('seals a plain file of an earlier life as it reads it', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'cache.json');
    await plainSecrets.write(path, SECRET);
    assert.equal((await ownSecretsWith(KEY).read(path))?.toString(), SECRET);
    assert.ok(!(await readFile(path)).includes(SECRET));
    assert.equal((await ownSecretsWith(KEY).read(path))?.toString(), SECRET);
  });

  it('has nothing where there is no file', async () => {
    await using folder = await temporaryFolder();
    for (const secrets of [plainSecrets, ownSecretsWith(KEY)]) assert.equal(await secrets.read(join(folder.path, 'none')), undefined);
  });

  const attacks: readonly [string, (path: string, text: string) => Promise<string>, { readonly key?: Buffer | undefined; readonly says: RegExp }][] = [
    ['no sealing key', async (path) => path, { key: undefined, says: /"sealing-key" was not given/ }],
    ["another machine's key", async (path) => path, { key: Buffer.alloc(32, 7), says: /sealed under another key/ }],
    [
      'one changed byte',
      changed((text) => text.replace(/(.)(.{20})$/s, (_all, one: string, rest: string) => (one === 'A' ? 'B' : 'A') + rest)),
      { key: KEY, says: /was changed/ },
    ],
    ['a cut file', changed((text) => text.slice(0, 40)), { key: KEY, says: /was changed|damaged/ }],
    ['a newer format', changed((text) => text.replace('relay-sealed 1', 'relay-sealed 2')), { key: KEY, says: /newer release/ }],
    ["another secret's place", renamed, { key: KEY, says: /another file under this name/ }],
  ];
  for (const [what, attack, { key, says }] of attacks) {
    it(`refuses a sealed file with ${what}, names the file and the way out, and leaves it as it is`, async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, 'roots.json');
      await ownSecretsWith(KEY).write(path, SECRET);
      const attacked = await attack(path, await readFile(path, 'utf8'));
      const before = await readFile(attacked);
      const error = await ownSecretsWith(key)
        .read(attacked)
        .then(() => assert.fail('it was opened'))
        .catch((thrown: unknown) => thrown as Error & { code?: string });
      assert.equal(error.code, 'relay.own-secrets.sealed');
      assert.match(error.message, says);
      assert.ok(error.message.includes(attacked) && error.message.includes('relay restore'));
      assert.deepEqual(await readFile(attacked), before);
    });
  }

  it('refuses a sealing key that is none, without showing it', () => {
    assert.throws(
      () => readSealingKey('c2hvcnQ='),
      (error: Error) => /5 bytes, not 32/.test(error.message) && !error.message.includes('c2hvcnQ'),
    );
  });
});

function changed(change: (text: string) => string): (path: string, text: string) => Promise<string> {
  return async (path, text) => {
    await writeFile(path, change(text));
    return path;
  };
}

async function renamed(path: string): Promise<string> {
  const other = `${path}.other`;
  await rename(path, other);
  return other;
}
