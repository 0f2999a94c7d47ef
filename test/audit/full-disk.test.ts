import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SCENARIO = fileURLToPath(new URL('full-disk-scenario.ts', import.meta.url));

describe('the audit log on a full disk', () => {
  it('stops nobody, keeps what it has whole, and tells how many entries are missing once there is room', async () => {
    await using folder = await temporaryFolder();
    // A mount namespace of its own: the small disk disappears with the process, however it ends.
    const asRoot = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
    const { stderr } = await promisify(execFile)('unshare', [...asRoot, process.execPath, SCENARIO, folder.path], { timeout: 60_000 });
    assert.equal(stderr, '');
  });
});
