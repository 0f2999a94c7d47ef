import assert from 'node:assert/strict';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLogger, type Logger } from '../../src/logger.ts';
import { generateKeyRing, withNewKey, withoutKeys } from '../../src/workspace/key-ring.ts';
import { changeKeyRingFile, loadKeyRing } from '../../src/workspace/key-ring-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const START = Date.UTC(2026, 10, 23);

function listen(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: createLogger('warn', { write: (line: string) => void lines.push(line) }) };
}

describe('loadKeyRing', () => {
  it('makes a file of its own once, mode 0600, with a warning that shows no key', async () => {
    await using folder = await temporaryFolder();
    const { log, lines } = listen();
    const place = { credentialsFolder: undefined, keyFile: undefined, ownFile: join(folder.path, 'keys', 'cache.json'), now: () => START };
    const first = await loadKeyRing(place, log);
    const again = await loadKeyRing(place, log);
    assert.equal(again.currentKeyId, first.currentKeyId);
    assert.equal((await stat(place.ownFile)).mode & 0o777, 0o600);
    const { keys } = JSON.parse(await readFile(place.ownFile, 'utf8')) as { keys: Record<string, string> };
    assert.equal(lines.length, 1);
    for (const key of Object.values(keys)) assert.ok(!lines.join().includes(key));
  });

  it('takes the credential store before any file', async () => {
    await using folder = await temporaryFolder();
    const ring = generateKeyRing();
    await writeFile(join(folder.path, 'cache-keys'), JSON.stringify(ring));
    const { log, lines } = listen();
    const keys = await loadKeyRing({ credentialsFolder: folder.path, keyFile: undefined, ownFile: join(folder.path, 'own.json'), now: () => START }, log);
    assert.equal(keys.currentKeyId, ring.current);
    assert.deepEqual(lines, []);
    await assert.rejects(stat(join(folder.path, 'own.json')));
  });

  it("refuses when the operator's file is not there, instead of making another ring in its place", async () => {
    await using folder = await temporaryFolder();
    const keyFile = join(folder.path, 'restored-later.json');
    await assert.rejects(loadKeyRing({ credentialsFolder: undefined, keyFile, ownFile: join(folder.path, 'own.json'), now: () => START }, listen().log), {
      code: 'relay.keys.unusable',
      message: /cache\.keyFile: there is no file .*restored-later\.json/,
    });
    await assert.rejects(stat(keyFile));
  });

  it('tells the age of each key; of a ring of an earlier release, the age of its file, which a change then writes down', async () => {
    await using folder = await temporaryFolder();
    const keyFile = join(folder.path, 'old.json');
    const old = generateKeyRing();
    assert.deepEqual(Object.keys(old), ['current', 'keys']);
    await writeFile(keyFile, JSON.stringify(old), { mode: 0o600 });
    await utimes(keyFile, START / 1000, START / 1000);
    const place = { credentialsFolder: undefined, keyFile, ownFile: '', now: () => START };
    const ring = await loadKeyRing(place, listen().log);
    assert.deepEqual(ring.ages(), [{ id: old.current, isCurrent: true, createdAt: START }]);
    await ring.change((content) => withNewKey(content, START + 5));
    const expected = [
      { id: old.current, isCurrent: false, createdAt: START },
      { id: ring.currentKeyId, isCurrent: true, createdAt: START + 5 },
    ];
    assert.deepEqual(ring.ages(), expected);
    assert.deepEqual((await loadKeyRing(place, listen().log)).ages(), expected);
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
  });

  it('keeps a key that somebody put back into the file while the ring was in use', async () => {
    await using folder = await temporaryFolder();
    const keyFile = join(folder.path, 'ring.json');
    const both = withNewKey(generateKeyRing());
    const [lost = ''] = Object.keys(both.keys).filter((id) => id !== both.current);
    await writeFile(keyFile, JSON.stringify(withoutKeys(both, new Set([lost]))), { mode: 0o600 });
    const ring = await loadKeyRing({ credentialsFolder: undefined, keyFile, ownFile: '', now: () => START }, listen().log);
    assert.equal(ring.has(lost), false);
    await writeFile(keyFile, JSON.stringify(both));
    await ring.change((content) => withNewKey(content, START));
    assert.deepEqual([ring.has(lost), ring.has(both.current), ring.ages().length], [true, true, 3]);
  });

  it('refuses to change the credential store, and says how to; the same change of a plain file is then taken', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'cache-keys');
    await writeFile(path, JSON.stringify(generateKeyRing()), { mode: 0o600 });
    const place = { credentialsFolder: folder.path, keyFile: undefined, ownFile: join(folder.path, 'own.json'), now: () => START };
    const ring = await loadKeyRing(place, listen().log);
    const before = ring.currentKeyId;
    await assert.rejects(
      ring.change((content) => withNewKey(content, START)),
      { code: 'relay.keys.read-only', message: /systemd credential "cache-keys".*relay keys rotate --file/ },
    );
    assert.deepEqual([ring.isWritable, ring.currentKeyId], [false, before]);
    const { currentKeyId } = await changeKeyRingFile(path, (content) => withNewKey(content, START));
    const again = await loadKeyRing(place, listen().log);
    assert.deepEqual([again.currentKeyId, again.has(before)], [currentKeyId, true]);
  });

  it('stays as it was when its file cannot be written', async () => {
    await using folder = await temporaryFolder();
    const ownFile = join(folder.path, 'ring.json');
    const ring = await loadKeyRing({ credentialsFolder: undefined, keyFile: undefined, ownFile, now: () => START }, listen().log);
    const before = ring.currentKeyId;
    await folder[Symbol.asyncDispose]();
    await assert.rejects(
      ring.change((content) => withNewKey(content, START)),
      { code: 'relay.keys.cannot-write' },
    );
    assert.deepEqual([ring.currentKeyId, ring.ages().length], [before, 1]);
  });
});
