import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '../../../src/errors.ts';
import { createServiceKeys, retired } from '../../../src/local-workspace/keys/service-keys.ts';
import { newSealingKey, ownSecretsWith, readSealingKey } from '../../../src/own-secrets.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const START = Date.UTC(2026, 10, 23);
const HOUR_MS = 3_600_000;

test('the service makes its keys at their first use, in a file for itself alone', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'keys', 'service-keys.json');
  const keys = createServiceKeys({ path, clock: createManualClock(START) });
  assert.equal(await keys.current(), undefined);
  assert.equal(await keys.find('00000000'), 'no-file');
  const [made, again] = await Promise.all([keys.currentOrMade(), keys.currentOrMade()]);
  assert.deepEqual(again, made);
  assert.equal(made.bytes.length, 32);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder.path, 'keys'))).mode & 0o777, 0o700);
  assert.deepEqual(await keys.ages(), [{ id: made.id, createdAt: START }]);
});

test('a rotation makes a newer version and keeps the old ones; two who want it for the same reason get one', async () => {
  await using folder = await temporaryFolder();
  const clock = createManualClock(START);
  const keys = createServiceKeys({ path: join(folder.path, 'service-keys.json'), clock });
  const first = await keys.currentOrMade();
  clock.advance(5);
  const [one, two] = await Promise.all([keys.rotate(first.id), keys.rotate(first.id)]);
  assert.deepEqual(one, two);
  assert.notEqual(one.id, first.id);
  assert.deepEqual(await keys.ages(), [
    { id: one.id, createdAt: START + 5 },
    { id: first.id, createdAt: START },
  ]);
  assert.deepEqual(await keys.find(first.id), first);
  assert.equal((await keys.current())?.id, one.id);
  assert.notEqual((await keys.rotate()).id, one.id);
});

test('an old version goes when it has been old for an hour and nothing is wrapped by it', () => {
  const versions = [
    { id: 'c', createdAt: START + 2 * HOUR_MS },
    { id: 'b', createdAt: START + HOUR_MS },
    { id: 'a', createdAt: START },
  ];
  for (const [what, inUse, now, gone] of [
    ['the newest stays', [], START + 1000 * HOUR_MS, ['b', 'a']],
    ['what is in use stays', ['a'], START + 1000 * HOUR_MS, ['b']],
    ['what was the newest within the hour stays', [], START + 3 * HOUR_MS - 1, ['a']],
    ['and goes then', [], START + 3 * HOUR_MS, ['b', 'a']],
  ] as const) {
    assert.deepEqual(retired(versions, new Set(inUse), now), gone, what);
  }
});

test('versions that went are in the file no longer', async () => {
  await using folder = await temporaryFolder();
  const clock = createManualClock(START);
  const path = join(folder.path, 'service-keys.json');
  const keys = createServiceKeys({ path, clock });
  const first = await keys.currentOrMade();
  const second = await keys.rotate();
  clock.advance(HOUR_MS);
  assert.deepEqual(await keys.retire(new Set([first.id])), []);
  assert.deepEqual(await keys.retire(new Set([second.id])), [first.id]);
  assert.equal(await keys.find(first.id), 'none');
  assert.ok(!(await readFile(path, 'utf8')).includes(first.bytes.toString('base64')));
});

test('where the machine has a sealing key, the file tells nothing without it', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'service-keys.json');
  const clock = createManualClock(START);
  const keys = createServiceKeys({ path, clock, secrets: ownSecretsWith(readSealingKey(newSealingKey())) });
  const made = await keys.currentOrMade();
  assert.ok(!(await readFile(path, 'latin1')).includes(made.bytes.toString('base64')));
  assert.deepEqual(await keys.current(), made);
  await assert.rejects(createServiceKeys({ path, clock }).current(), { code: 'relay.own-secrets.sealed' });
});

test('a file that is none is refused without a word of what is in it, and is not written over', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'service-keys.json');
  const keys = createServiceKeys({ path, clock: createManualClock(START) });
  const marker = 'MARKERMARKERMARKERMARKERMARKERMARKERMARKERM=';
  for (const text of [
    '',
    '{',
    '{}',
    '[]',
    '{"format":2,"versions":[]}',
    '{"format":1,"versions":[]}',
    JSON.stringify({ format: 1, versions: [{ id: 'x', key: marker }] }),
    marker,
  ]) {
    await writeFile(path, text);
    for (const use of [() => keys.current(), () => keys.currentOrMade(), () => keys.rotate(), () => keys.retire(new Set())]) {
      await assert.rejects(use(), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'relay.local-workspace.service-keys-unusable', text);
        return !messageOf(error).includes('MARKER');
      });
    }
    assert.equal(await readFile(path, 'utf8'), text);
  }
});
