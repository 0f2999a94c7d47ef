import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { oneAtATime } from '../../src/upgrade/one-at-a-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('while one works nobody else does, and afterwards the next may, also when the first failed', async () => {
  await using folder = await temporaryFolder();
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const first = oneAtATime(folder.path, 'working', async () => {
    begun.resolve();
    await end;
    throw new Error('broken');
  });
  await begun.promise;
  await assert.rejects(
    oneAtATime(folder.path, 'working', async () => assert.fail('both at the same time')),
    /relay.upgrade.busy|another process of this machine is working/,
  );
  resolve();
  await assert.rejects(first, /broken/);
  assert.equal(await oneAtATime(folder.path, 'working', async () => 'done'), 'done');
});

test('a folder that is not there cannot be locked, and is not made', async () => {
  await using folder = await temporaryFolder();
  await assert.rejects(
    oneAtATime(`${folder.path}/nothing`, 'working', async () => assert.fail()),
    /there is no folder/,
  );
  assert.deepEqual(await readdir(folder.path), []);
});
