import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readDataKeyFile } from '../../../src/local-workspace/keys/data-key-file.ts';
import { createFileKeyProvider } from '../../../src/local-workspace/keys/file-key-provider.ts';
import { findDataKey } from '../../../src/local-workspace/keys/find-data-key.ts';
import { eventually } from '../../support/eventually.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BANK } from './workspaces.ts';

const SCRIPT = fileURLToPath(new URL('rewrap-forever.ts', import.meta.url));

test('killed while it wraps anew again and again, a workspace has the data key that it had, and it opens', async () => {
  await using folder = await temporaryFolder();
  const keyFiles = ['a', 'b'].map((id) => join(folder.path, id));
  for (const [index, path] of keyFiles.entries()) await writeFile(path, `key-${index} ${String(index).repeat(64)}\n`, { mode: 0o600 });
  const ids = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [SCRIPT, folder.path, ...keyFiles], { stdio: ['ignore', 'pipe', 'inherit'] });
    let rewraps = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      rewraps += chunk.length;
    });
    await eventually('it has wrapped anew', () => rewraps > 10 + round);
    child.kill('SIGKILL');
    await once(child, 'close');
    const file = await readDataKeyFile(folder.path);
    assert.ok(file);
    ids.add(file.id);
    const providers = keyFiles.map((path) => createFileKeyProvider(path, () => {}));
    assert.equal((await findDataKey(file, providers, { workspaceId: BANK })).outcome, 'opened');
  }
  assert.equal(ids.size, 1);
});
