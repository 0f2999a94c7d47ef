import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataKeyId, keepDataKey, makeDataKey, openDataKey, serviceKeysInUse } from '../../../src/local-workspace/keys/data-key.ts';
import { type DataKeyFile, readDataKeyFile, writeDataKeyFile } from '../../../src/local-workspace/keys/data-key-file.ts';
import type { KeyProvider } from '../../../src/local-workspace/keys/key-provider.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createFakeProvider } from './fake-provider.ts';
import { BANK, PLANT } from './workspaces.ts';

const START = Date.UTC(2026, 10, 23);
const CREATED = '2026-11-01T00:00:00.000Z';
const FOR_BANK = { workspaceId: BANK };

async function keptIn(folder: string, provider: KeyProvider, key = makeDataKey(), by?: DataKeyFile['by']): Promise<DataKeyFile> {
  const done = await keepDataKey(folder, { key, createdAt: CREATED, by }, { provider, context: FOR_BANK, now: START });
  assert.ok(done.outcome === 'kept', JSON.stringify(done));
  return done.file;
}

test('a data key is kept wrapped, in a file for the service alone, and opens from it', async () => {
  await using folder = await temporaryFolder();
  const { provider } = createFakeProvider('service');
  const key = makeDataKey();
  const file = await keptIn(folder.path, provider, key);
  const by = { provider: 'service', keyId: '1', since: new Date(START).toISOString() };
  assert.deepEqual(file, { format: 1, workspace: BANK, id: dataKeyId(key), createdAt: CREATED, by, wrapped: file.wrapped });
  assert.deepEqual(await readDataKeyFile(folder.path), file);
  assert.equal((await stat(join(folder.path, 'data-key.json'))).mode & 0o777, 0o600);
  const opened = await openDataKey(file, provider, FOR_BANK);
  assert.ok(opened.outcome === 'opened' && opened.key.equals(key));
  const text = await readFile(join(folder.path, 'data-key.json'), 'utf8');
  for (const form of ['base64', 'hex'] as const) assert.ok(!text.includes(key.export().toString(form)));
});

test('two data keys are never the same, nor are their ids', () => {
  assert.notEqual(dataKeyId(makeDataKey()), dataKeyId(makeDataKey()));
});

test('a data key in the folder of another workspace does not open, also when the file says it is that one', async () => {
  await using folder = await temporaryFolder();
  const { provider } = createFakeProvider('service');
  const file = await keptIn(folder.path, provider);
  for (const [moved, reason] of [
    [file, 'its data-key.json is that of another workspace. Restore its own from a backup'],
    [
      { ...file, workspace: PLANT },
      'the fake service does not open its data-key.json: the file was changed, or key 1 is another than it was. Restore the one or the other',
    ],
  ] as const) {
    assert.deepEqual(await openDataKey(moved, provider, { workspaceId: PLANT }), { outcome: 'unavailable', isTransient: false, reason });
  }
});

test('a key that unwraps well but is not the one that was wrapped is found out by its id', async () => {
  await using folder = await temporaryFolder();
  const { provider } = createFakeProvider('service');
  const file = await keptIn(folder.path, provider);
  const other = await keptIn(folder.path, provider);
  const opened = await openDataKey({ ...file, wrapped: other.wrapped }, provider, FOR_BANK);
  assert.ok(opened.outcome === 'unavailable');
});

test('a provider that wraps badly, or not at all, does not get its wrapping written', async () => {
  await using folder = await temporaryFolder();
  const before = await keptIn(folder.path, createFakeProvider('service').provider);
  const spoiling = createFakeProvider('file');
  spoiling.spoil();
  const refusing = createFakeProvider('file');
  refusing.refuse({ outcome: 'unavailable', isTransient: false, reason: 'there is no file' });
  for (const [{ provider }, reason] of [
    [spoiling, 'the fake file wraps it but does not give it back as it was'],
    [refusing, 'there is no file'],
  ] as const) {
    const done = await keepDataKey(folder.path, { key: makeDataKey(), createdAt: CREATED, by: undefined }, { provider, context: FOR_BANK, now: START });
    assert.deepEqual(done, { outcome: 'unavailable', isTransient: false, reason });
    assert.deepEqual(await readDataKeyFile(folder.path), before);
  }
});

test('a key that goes on wrapping keeps its age; another begins anew', async () => {
  await using folder = await temporaryFolder();
  const fake = createFakeProvider('service');
  const old = { provider: 'service', keyId: '1', since: CREATED } as const;
  assert.equal((await keptIn(folder.path, fake.provider, makeDataKey(), old)).by.since, CREATED);
  assert.equal((await keptIn(folder.path, fake.provider, makeDataKey(), { ...old, provider: 'file' })).by.since, new Date(START).toISOString());
  fake.rotate();
  assert.deepEqual((await keptIn(folder.path, fake.provider, makeDataKey(), old)).by, {
    provider: 'service',
    keyId: '2',
    since: new Date(START).toISOString(),
  });
});

test('what is no data key is refused by its place and its members', async () => {
  await using folder = await temporaryFolder();
  const file = await keptIn(folder.path, createFakeProvider('service').provider);
  for (const [content, words] of [
    ['', /it is no JSON/],
    ['{"format":1', /it is no JSON/],
    ['[]', /holds no wrapped data key/],
    [JSON.stringify({ ...file, format: 2 }), /format/],
    [JSON.stringify({ ...file, workspace: 'x' }), /workspace: must be the GUID of a workspace/],
    [JSON.stringify({ ...file, by: { ...file.by, provider: 'odd' } }), /by\.provider/],
    [JSON.stringify({ ...file, by: { ...file.by, keyId: 'a b' } }), /by\.keyId/],
    [JSON.stringify({ ...file, wrapped: '?' }), /wrapped/],
  ] as const) {
    await writeFile(join(folder.path, 'data-key.json'), content);
    await assert.rejects(readDataKeyFile(folder.path), { code: 'relay.local-workspace.bad-data-key', message: words });
  }
});

test('which keys of the service are in use is told from the folders, those of other providers and empty ones left out', async () => {
  await using folder = await temporaryFolder();
  const folders = ['a', 'b', 'c', 'd'].map((name) => join(folder.path, name));
  const [a = '', b = '', c = ''] = folders;
  for (const path of folders) await mkdir(path);
  const service = createFakeProvider('service');
  await keptIn(a, service.provider);
  service.rotate();
  await keptIn(b, service.provider);
  const file = createFakeProvider('file');
  file.rotate();
  file.rotate();
  await keptIn(c, file.provider);
  assert.deepEqual(await serviceKeysInUse(folders), new Set(['1', '2']));
  await writeFile(join(c, 'data-key.json'), 'odd');
  await assert.rejects(serviceKeysInUse(folders), { code: 'relay.local-workspace.bad-data-key' });
});

test('a folder that cannot be written is said', async () => {
  await using folder = await temporaryFolder();
  const key = makeDataKey();
  const { provider } = createFakeProvider('service');
  const keeping = keepDataKey(join(folder.path, 'nowhere'), { key, createdAt: CREATED, by: undefined }, { provider, context: FOR_BANK, now: START });
  await assert.rejects(keeping, { code: 'relay.local-workspace.cannot-write-data-key' });
});

test('a draft that a kill left behind does not matter', async () => {
  await using folder = await temporaryFolder();
  const { provider } = createFakeProvider('service');
  const file = await keptIn(folder.path, provider);
  await writeFile(join(folder.path, '.data-key.json.0123456789ab'), '{"format":1,"work');
  assert.deepEqual(await readDataKeyFile(folder.path), file);
  await writeDataKeyFile(folder.path, file);
  assert.deepEqual((await readdir(folder.path)).sort(), ['.data-key.json.0123456789ab', 'data-key.json']);
});
