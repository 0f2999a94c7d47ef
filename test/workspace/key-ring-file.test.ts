import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLogger, type Logger } from '../../src/logger.ts';
import { generateKeyRing } from '../../src/workspace/key-ring.ts';
import { loadKeyRing } from '../../src/workspace/key-ring-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

function listen(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: createLogger('warn', { write: (line: string) => void lines.push(line) }) };
}

describe('loadKeyRing', () => {
  it('makes a file of its own once, mode 0600, with a warning that shows no key', async () => {
    await using folder = await temporaryFolder();
    const { log, lines } = listen();
    const place = { credentialsFolder: undefined, keyFile: undefined, ownFile: join(folder.path, 'keys', 'cache.json') };
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
    const keys = await loadKeyRing({ credentialsFolder: folder.path, keyFile: undefined, ownFile: join(folder.path, 'own.json') }, log);
    assert.equal(keys.currentKeyId, ring.current);
    assert.deepEqual(lines, []);
    await assert.rejects(stat(join(folder.path, 'own.json')));
  });

  it("refuses when the operator's file is not there, instead of making another ring in its place", async () => {
    await using folder = await temporaryFolder();
    const keyFile = join(folder.path, 'restored-later.json');
    await assert.rejects(loadKeyRing({ credentialsFolder: undefined, keyFile, ownFile: join(folder.path, 'own.json') }, listen().log), {
      code: 'relay.keys.unusable',
      message: /cache\.keyFile: there is no file .*restored-later\.json/,
    });
    await assert.rejects(stat(keyFile));
  });
});
