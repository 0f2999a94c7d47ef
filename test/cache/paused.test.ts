import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openPausedWorkspaces } from '../../src/cache/paused.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { OTHER, WORKSPACE } from './batches.ts';

describe('paused workspaces', () => {
  it('are remembered in a file, each by itself, also when set at the same moment', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'paused.json');
    const before = await openPausedWorkspaces(path);
    assert.equal(before.has(WORKSPACE), false);
    await Promise.all([before.set(WORKSPACE, true), before.set(OTHER, true), before.set(WORKSPACE, true)]);
    await before.set(OTHER, false);
    const after = await openPausedWorkspaces(path);
    assert.deepEqual([after.has(WORKSPACE), after.has(OTHER)], [true, false]);
  });

  it('are not guessed from a file that says something else', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'paused.json');
    await writeFile(path, '{"paused":"all"}');
    await assert.rejects(openPausedWorkspaces(path), { code: 'relay.cache.bad-file' });
  });
});
