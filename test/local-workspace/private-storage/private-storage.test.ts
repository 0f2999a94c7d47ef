import assert from 'node:assert/strict';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { copyFile, lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exportsFolder, linkStorage } from '../../../src/local-workspace/private-storage/link.ts';
import { type Disk, realDisk } from '../../../src/local-workspace/private-storage/place/disk.ts';
import { createPrivateStorage, MAX_OBJECT_BYTES, type PrivateStorage } from '../../../src/local-workspace/private-storage/private-storage.ts';
import { BANK, PLANT, temporaryFolder } from '../rig.ts';
import { crashingDisk } from './crashing-disk.ts';

const ID = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
const KEY = createSecretKey(Buffer.alloc(32, 1));

async function opened(
  t: TestContext,
  { keyOf = (): KeyObject | undefined => KEY, disk = realDisk as Disk } = {},
): Promise<{ folder: string; storage: PrivateStorage }> {
  const folder = join(await temporaryFolder(t), 'share');
  await linkStorage(folder, BANK, { id: ID, nowMs: 0 });
  return { folder, storage: createPrivateStorage({ folder, workspaceId: BANK, id: ID, keyOf, disk }) };
}

test('an object is kept sealed, read back, listed, replaced and deleted', async (t) => {
  const { folder, storage } = await opened(t);
  await storage.put('queries/one', Buffer.from('Heartbeat | count'));
  await storage.put('two', Buffer.from(''));
  assert.equal(String(await storage.get('queries/one')), 'Heartbeat | count');
  assert.equal((await storage.get('two'))?.length, 0);
  assert.deepEqual([await storage.list(), await storage.list('queries/')], [['queries/one', 'two'], ['queries/one']]);
  const file = join(folder, 'queries', 'one.sealed');
  assert.equal((await readFile(file)).includes('Heartbeat'), false);
  assert.equal((await lstat(file)).mode & 0o777, 0o600);
  await storage.put('queries/one', Buffer.from('Perf'));
  assert.equal(String(await storage.get('queries/one')), 'Perf');
  assert.deepEqual([await storage.delete('queries/one'), await storage.delete('queries/one'), await storage.get('queries/one')], [true, false, undefined]);
  assert.deepEqual(await storage.list(), ['two']);
});

test('a name that could lead elsewhere is refused', async (t) => {
  const { storage } = await opened(t);
  for (const name of [
    '',
    '/',
    '..',
    '../x',
    'a/../../x',
    '/etc/passwd',
    'a//b',
    'a/',
    '.relay-private-storage',
    'a/.b',
    'a\0b',
    'a\\b',
    'x'.repeat(200),
    'ü',
  ]) {
    await assert.rejects(storage.put(name, Buffer.from('x')), { code: 'relay.local-workspace.bad-object-name' }, JSON.stringify(name));
    await assert.rejects(storage.get(name), { code: 'relay.local-workspace.bad-object-name' }, JSON.stringify(name));
    await assert.rejects(storage.delete(name), { code: 'relay.local-workspace.bad-object-name' }, JSON.stringify(name));
  }
});

test('an object does not open under another name, for another workspace, or with another key', async (t) => {
  const { folder, storage } = await opened(t);
  await storage.put('one', Buffer.from('x'));
  await copyFile(join(folder, 'one.sealed'), join(folder, 'two.sealed'));
  await assert.rejects(storage.get('two'), { code: 'relay.local-workspace.cannot-open' });
  const other = createPrivateStorage({ folder, workspaceId: BANK, id: ID, keyOf: () => createSecretKey(Buffer.alloc(32, 2)) });
  await assert.rejects(other.get('one'), { code: 'relay.local-workspace.cannot-open' });
});

test('while the customer keeps the key back nothing is written or read, and what is there can be listed and deleted', async (t) => {
  let key: KeyObject | undefined = KEY;
  const { storage } = await opened(t, { keyOf: () => key });
  await storage.put('one', Buffer.from('x'));
  key = undefined;
  await assert.rejects(storage.put('two', Buffer.from('x')), { code: 'relay.local-workspace.storage-key-unavailable' });
  await assert.rejects(storage.get('one'), { code: 'relay.local-workspace.storage-key-unavailable' });
  assert.deepEqual(await storage.list(), ['one']);
  key = KEY;
  assert.equal(String(await storage.get('one')), 'x');
});

test('a location that is not mounted, or is another one, is told, and nothing is written there', async (t) => {
  const { folder, storage } = await opened(t);
  await storage.put('one', Buffer.from('x'));
  await rename(folder, `${folder}-unmounted`);
  for (const isThere of [false, true]) {
    if (isThere) await mkdir(folder);
    await assert.rejects(storage.put('two', Buffer.from('x')), { code: 'relay.local-workspace.storage-away', message: /Mount it/ });
    await assert.rejects(storage.get('one'), { code: 'relay.local-workspace.storage-away' });
    await assert.rejects(storage.list(), { code: 'relay.local-workspace.storage-away' });
  }
  assert.deepEqual(await readdir(folder), []);
  await linkStorage(folder, BANK, { id: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', nowMs: 0 });
  await assert.rejects(storage.get('one'), { code: 'relay.local-workspace.storage-away', message: /bbbbbbbb-.* aaaaaaaa-/ });
  await rm(folder, { recursive: true });
  await rename(`${folder}-unmounted`, folder);
  assert.equal(String(await storage.get('one')), 'x');
});

test('a folder is linked once, and to one workspace', async (t) => {
  const { folder } = await opened(t);
  assert.equal(await linkStorage(folder, BANK, { id: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', nowMs: 1 }), ID);
  await assert.rejects(linkStorage(folder, PLANT, { id: ID, nowMs: 1 }), { code: 'relay.local-workspace.storage-of-another', message: /11111111-/ });
});

test('links that somebody planted are not followed', async (t) => {
  const { folder, storage } = await opened(t);
  const outside = await temporaryFolder(t);
  await symlink(outside, join(folder, 'queries'));
  await assert.rejects(storage.put('queries/one', Buffer.from('x')), { code: 'relay.local-workspace.not-a-folder' });
  await assert.rejects(storage.get('queries/one'), { code: 'relay.local-workspace.not-a-folder' });
  await assert.rejects(storage.delete('queries/one'), { code: 'relay.local-workspace.not-a-folder' });
  const target = join(outside, 'target');
  await writeFile(target, 'kept');
  await symlink(target, join(folder, 'one.sealed'));
  await symlink(target, join(folder, '.two.sealed.draft'));
  await assert.rejects(storage.get('one'), { code: 'relay.local-workspace.not-a-file' });
  for (const name of ['one', 'two']) await storage.put(name, Buffer.from('x'));
  assert.equal(await readFile(target, 'utf8'), 'kept');
  assert.deepEqual(await readdir(outside), ['target']);
  assert.deepEqual(await storage.list(), ['one', 'two']);
});

test('exports in the private storage are no objects', async (t) => {
  const { folder, storage } = await opened(t);
  await mkdir(join(exportsFolder(folder), 'am-Syslog'), { recursive: true });
  await writeFile(join(exportsFolder(folder), 'am-Syslog', '00000001.json.gz.sealed'), 'x');
  await storage.put('one', Buffer.from('x'));
  assert.deepEqual(await storage.list(), ['one']);
});

test('an object that is too large is refused before anything is written', async (t) => {
  const { storage } = await opened(t);
  await assert.rejects(storage.put('one', new Uint8Array(MAX_OBJECT_BYTES + 1)), { code: 'relay.local-workspace.object-too-large' });
  assert.deepEqual(await storage.list(), []);
});

for (const death of ['kill', 'power-cut'] as const) {
  test(`a ${death} at any step of a put leaves the old object or the new one`, async (t) => {
    const { folder, storage } = await opened(t);
    let isDone = false;
    for (let step = 1; !isDone; step += 1) {
      await storage.put('folder/one', Buffer.from('old'));
      const disk = await crashingDisk(step, death);
      const dying = createPrivateStorage({ folder, workspaceId: BANK, id: ID, keyOf: () => KEY, disk });
      isDone = await dying.put('folder/one', Buffer.from('new')).then(
        () => true,
        () => false,
      );
      await disk.bury();
      const found = String(await storage.get('folder/one'));
      assert.ok(isDone ? found === 'new' : ['old', 'new'].includes(found), `step ${step}: ${found}`);
      assert.deepEqual(await storage.list(), ['folder/one']);
      assert.ok(step < 50);
    }
  });
}
