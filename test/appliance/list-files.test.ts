import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runImageProgram } from './run-image-program.ts';

test('the list of files tells of each file content, mode and owner, of each link where it leads, sorted by path', async () => {
  await using folder = await temporaryFolder();
  const at = (...names: readonly string[]): string => join(folder.path, ...names);
  await mkdir(at('etc'));
  await writeFile(at('etc', 'secret'), 'content');
  await chmod(at('etc', 'secret'), 0o640);
  await writeFile(at('b'), '');
  await chmod(at('b'), 0o4755);
  await symlink('etc/secret', at('a'));
  const own = `${process.getuid?.()}:${process.getgid?.()}`;
  const lines = runImageProgram('list-files', [folder.path])
    .stdout.trim()
    .split('\n')
    .map((line) => line.split('\t'));
  assert.deepEqual(lines.slice(1), [
    ['link', '0777', own, '-> etc/secret', '/a'],
    ['file', '4755', own, hash('sha256', ''), '/b'],
    ['folder', '0755', own, '-', '/etc'],
    ['file', '0640', own, hash('sha256', 'content'), '/etc/secret'],
  ]);
});

test('all times of every inode in use are set, and of no other', () => {
  const dump = 'Inode count:              24\nGroup 0:\n  Free inodes: 13, 15-24\n';
  const { stdout } = runImageProgram('clamp-inodes', ['1700000000'], dump);
  const inodes = new Set([...stdout.matchAll(/sif <(\d+)> ctime @1700000000/g)].map(([, inode]) => Number(inode)));
  assert.deepEqual([...inodes], [2, 11, 12, 14]);
  assert.match(stdout, /sif <12> crtime @1700000000\nsif <12> crtime_extra 0/);
});
