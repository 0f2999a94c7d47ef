import assert from 'node:assert/strict';
import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAX_BODY_BYTES } from '../../../src/local-workspace/staging/frame.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { entry, openLog, readAll } from './staging-rig.ts';

const FIRST = '000000000000001.log';

test('an entry on a full disk is refused, leaves nothing behind, and the next one is kept', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path);
  // A device that is always full takes the place of the file.
  await symlink('/dev/full', join(folder.path, FIRST));
  await assert.rejects(log.append(entry('refused')), { code: 'ENOSPC' });
  assert.deepEqual([await readdir(folder.path), log.bytes()], [[], 0]);
  const seq = await log.append(entry('kept'));
  assert.deepEqual(readAll(folder.path), [`${seq}:kept`]);
  await log.close();
  const again = await openLog(folder.path);
  assert.equal(again.lastSeq(), seq);
  await again.close();
});

test('entries whose copy failed were not taken: they are not in the log, and what came before and after them is', async () => {
  await using folder = await temporaryFolder();
  let fails = false;
  const copy = async (): Promise<void> => {
    if (fails) throw new Error('the other side is gone');
  };
  const log = await openLog(folder.path, { copy });
  await log.append(entry('before'));
  fails = true;
  const refused = [1, 2].map((at) => log.append(entry(`refused ${at}`)));
  for (const each of refused) await assert.rejects(each, /the other side is gone/);
  fails = false;
  const seq = await log.append(entry('after'));
  await log.close();
  assert.deepEqual(readAll(folder.path), ['1:before', `${seq}:after`]);
});

test('a log that takes nothing for a while leaves no file for each try', async () => {
  await using folder = await temporaryFolder();
  const copy = (): Promise<void> => Promise.reject(new Error('no'));
  const log = await openLog(folder.path, { copy });
  for (let at = 0; at < 20; at += 1) await assert.rejects(log.append(entry('x')));
  assert.deepEqual(await readdir(folder.path), []);
  await log.close();
});

test('an entry that is too large to be read back is refused at once', async () => {
  await using folder = await temporaryFolder();
  const log = await openLog(folder.path);
  const body = Buffer.alloc(MAX_BODY_BYTES + 1);
  await assert.rejects(log.append({ ...entry(''), body }), { code: 'relay.local-workspace.entry-too-large' });
  assert.equal(await log.append(entry('small')), 1);
  await log.close();
});
