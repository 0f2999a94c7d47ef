import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lookAtDataFolder, makeStaging, mustBeFree, mustHaveRoom, putInPlace } from '../../src/backup/data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the data folder to restore to', () => {
  it('is full with anything but lost+found in it', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'data');
    assert.equal((await lookAtDataFolder(path)).is, 'absent');
    await mkdir(join(path, 'lost+found'), { recursive: true });
    assert.deepEqual(await lookAtDataFolder(path), { path, is: 'empty', isMounted: false });
    await writeFile(join(path, 'x'), '');
    assert.equal((await lookAtDataFolder(path)).is, 'full');
    await assert.rejects(lookAtDataFolder(join(path, 'x')), { code: 'relay.restore.bad-data-folder' });
  });

  it('is known as a file system of its own', async () => {
    assert.equal((await lookAtDataFolder('/proc')).isMounted, true);
  });

  it('that is a file system of its own and not empty is refused, with --replace too', () => {
    const full = { path: '/srv/relay', is: 'full', isMounted: true } as const;
    assert.throws(() => mustBeFree(full, false), { code: 'relay.restore.data-folder-not-empty', message: /add --replace/ });
    assert.throws(() => mustBeFree(full, true), { code: 'relay.restore.data-folder-not-empty', message: /cannot be moved aside/ });
    mustBeFree({ ...full, is: 'empty' }, false);
  });

  it('that is a file system of its own is filled from a folder within it', async () => {
    await using folder = await temporaryFolder();
    const data = { path: join(folder.path, 'data'), is: 'empty', isMounted: true } as const;
    await mkdir(join(data.path, 'lost+found'), { recursive: true });
    const staging = await makeStaging(data, 'restoring');
    assert.ok(staging.startsWith(`${data.path}/`));
    await writeFile(join(staging, 'state'), '');
    assert.equal(await putInPlace(staging, data, 'unused'), undefined);
    assert.deepEqual((await readdir(data.path)).sort(), ['lost+found', 'state']);
  });

  it('must have room for all of it', async () => {
    await using folder = await temporaryFolder();
    await mustHaveRoom(join(folder.path, 'not', 'there'), 1);
    await assert.rejects(mustHaveRoom(folder.path, 2 ** 60), { code: 'relay.restore.no-room', message: /needs 1024 PiB/ });
  });
});
