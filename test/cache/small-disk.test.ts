import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SCENARIO = fileURLToPath(new URL('small-disk-scenario.ts', import.meta.url));

describe('the segment store on a full disk', () => {
  it('refuses what does not fit, keeps all it acknowledged, and goes on by itself when there is room again', async () => {
    await using folder = await temporaryFolder();
    // A mount namespace of its own: the small disk disappears with the process, however it ends.
    const asRoot = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
    const { stderr } = await promisify(execFile)('unshare', [...asRoot, process.execPath, SCENARIO, folder.path], { timeout: 60_000 });
    assert.equal(stderr, '');
  });
});
