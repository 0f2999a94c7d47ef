import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fetchFile } from '../../src/control/fetch-file.ts';
import { factsOfCopy } from '../../src/management-group/copy.ts';
import { createControlRig } from './rig.ts';

const ORDER = { path: '/backups', body: { name: '/root/relay.age', parts: ['state', 'audit'] } };

describe('POST /backups', () => {
  it('gives a consistent copy of the agents’ database, readable by its owner alone, leaves none behind, and is entered', async () => {
    await using rig = await createControlRig();
    const before = await readdir(rig.folder);
    const copy = join(rig.folder, 'copy');
    await fetchFile(rig.socket, ORDER, copy);
    assert.equal(factsOfCopy(copy).agents, 3);
    assert.equal((await stat(copy)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(rig.folder)).sort(), [...before, 'copy'].sort());
    assert.deepEqual(
      rig.entries.map(({ action, on, detail, result }) => [action, on, detail, result]),
      [['backup.create', '/root/relay.age', 'state, audit', 'done']],
    );
  });

  it('refuses an order that it does not understand, and enters that too', async () => {
    await using rig = await createControlRig();
    const copy = join(rig.folder, 'copy');
    await assert.rejects(fetchFile(rig.socket, { path: '/backups', body: { parts: [] } }, copy), { code: 'relay.command.refused', message: /name/ });
    await assert.rejects(stat(copy), { code: 'ENOENT' });
    assert.deepEqual(
      rig.entries.map(({ action, result }) => [action, result]),
      [['backup.create', 'refused']],
    );
  });

  it('says that no relay answers, and does not write over a file', async () => {
    await using rig = await createControlRig();
    await assert.rejects(fetchFile(join(rig.folder, 'none.sock'), ORDER, join(rig.folder, 'copy')), { code: 'relay.control.not-running' });
    const mine = join(rig.folder, 'mine');
    await writeFile(mine, 'mine');
    await assert.rejects(fetchFile(rig.socket, ORDER, mine), { code: 'relay.control.no-answer' });
    assert.equal((await stat(mine)).size, 4);
  });
});
