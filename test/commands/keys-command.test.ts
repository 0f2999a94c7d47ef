import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { keysCommand } from '../../src/commands/keys.ts';
import { generateKeyRing, type KeyRingFile } from '../../src/workspace/key-ring.ts';
import type { KeyFacts, Rotated } from '../../src/workspace/key-rotation.ts';
import { createControlRig } from '../control/rig.ts';
import { BANK } from '../management-group/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function run(...words: string[]): Promise<string> {
  const lines: string[] = [];
  await keysCommand({}, (json) => ({ json, line: (text) => void lines.push(text) })).parseAsync(words, { from: 'user' });
  return lines.join('\n');
}

describe('relay keys', () => {
  it('rotates, and lists the keys with what each still protects, never a key', async () => {
    await using rig = await createControlRig();
    const { secret } = rig.group.enrolmentKeys.create({ name: 'site', workspaceId: BANK });
    const { from, to } = JSON.parse(await run('rotate', '--socket', rig.socket, '--json')) as Rotated;
    const listed = JSON.parse(await run('list', '--socket', rig.socket, '--json')) as KeyFacts[];
    assert.deepEqual(
      listed.map(({ id, isCurrent, enrolmentKeys }) => [id, isCurrent, enrolmentKeys]),
      [
        [to, true, 1],
        [from, false, 0],
      ],
    );
    assert.equal(rig.group.enrolmentKeys.usable(BANK)[0]?.key.toString('base64'), secret);
    const table = await run('list', '--socket', rig.socket);
    assert.match(table, new RegExp(`^KEY +STATE +CREATED.*\\n${to} +current +2026-11-23.*\\n${from} +unused `));
    const ring = JSON.parse(await readFile(join(rig.folder, 'keys.json'), 'utf8')) as KeyRingFile;
    for (const key of Object.values(ring.keys)) assert.equal((table + JSON.stringify(listed)).includes(key), false);
  });

  it('forgets only a key that is lost, and not without being asked', async () => {
    await using rig = await createControlRig();
    const [key] = JSON.parse(await run('list', '--socket', rig.socket, '--json')) as KeyFacts[];
    await assert.rejects(run('forget', key?.id ?? '', '--yes', '--socket', rig.socket), /No key "[0-9a-f]{8}" is lost/);
    await assert.rejects(run('forget', 'deadbeef', '--socket', rig.socket), /Nothing was given up/);
  });

  it('adds a key to a ring that no relay uses', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'ring.json');
    const before = generateKeyRing();
    await writeFile(path, JSON.stringify(before), { mode: 0o600 });
    assert.match(await run('rotate', '--file', path), /^Key [0-9a-f]{8} of .* seals what comes, once a relay has started with it\.$/);
    const after = JSON.parse(await readFile(path, 'utf8')) as KeyRingFile;
    assert.notEqual(after.current, before.current);
    assert.equal(after.keys[before.current], before.keys[before.current]);
  });
});
