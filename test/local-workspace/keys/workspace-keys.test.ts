import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RelayError } from '../../../src/errors.ts';
import type { KeyEvent } from '../../../src/local-workspace/keys/key-event.ts';
import { type KeyProvider, unavailable, unavailableForNow } from '../../../src/local-workspace/keys/key-provider.ts';
import { createServiceKeyProvider } from '../../../src/local-workspace/keys/service-key-provider.ts';
import { createServiceKeys, type ServiceKeys } from '../../../src/local-workspace/keys/service-keys.ts';
import { openWorkspaceKeys, type WorkspaceKeys, type WorkspaceKeysParts } from '../../../src/local-workspace/keys/workspace-keys.ts';
import { createLogger } from '../../../src/logger.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createFakeProvider } from './fake-provider.ts';
import { BANK } from './workspaces.ts';

const START = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;

interface Rig extends AsyncDisposable {
  readonly folder: string;
  readonly clock: ManualClock;
  readonly events: KeyEvent[];
  readonly lines: string[];
  readonly serviceKeys: ServiceKeys;
  readonly service: KeyProvider;
  open(provider: KeyProvider, more?: Partial<WorkspaceKeysParts>): Promise<WorkspaceKeys>;
}

async function createRig(): Promise<Rig> {
  const folder = await temporaryFolder();
  const clock = createManualClock(START);
  const events: KeyEvent[] = [];
  const lines: string[] = [];
  const log = createLogger('info', { write: (line: string) => void lines.push(line) });
  const serviceKeys = createServiceKeys({ path: join(folder.path, 'keys', 'service-keys.json'), clock });
  const opened: WorkspaceKeys[] = [];
  return {
    folder: folder.path,
    clock,
    events,
    lines,
    serviceKeys,
    service: createServiceKeyProvider(serviceKeys),
    async open(provider, more = {}) {
      const settings = { rotateEvery: 90, checkEvery: 30 };
      const onEvent = (event: KeyEvent): void => void events.push(event);
      const keys = await openWorkspaceKeys({ workspaceId: BANK, folder: folder.path, isFresh: true, provider, settings, clock, log, onEvent, ...more });
      opened.push(keys);
      return keys;
    },
    async [Symbol.asyncDispose]() {
      for (const keys of opened) await keys.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function kinds(events: readonly KeyEvent[]): readonly string[] {
  return events.map(({ kind }) => kind);
}

function keyOf(keys: WorkspaceKeys): string {
  const state = keys.current();
  assert.ok(state.available, JSON.stringify(state));
  return state.key.export().toString('hex');
}

test('a fresh workspace makes its data key, and has the same one after every start', async () => {
  await using rig = await createRig();
  const first = await rig.open(rig.service);
  const key = keyOf(first);
  await first.close();
  assert.equal(keyOf(await rig.open(rig.service, { isFresh: false })), key);
  assert.equal(keyOf(await rig.open(rig.service)), key);
  assert.deepEqual(rig.events, []);
});

test('a fresh workspace whose key cannot be had does not begin, and leaves nothing behind', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  fake.refuse(unavailable('there is no file /media/stick/keys'));
  const message = `Workspace ${BANK} is new and cannot begin, because its data key cannot be wrapped: there is no file /media/stick/keys. Give its key, or choose another in its settings, and start again.`;
  await assert.rejects(rig.open(fake.provider), { code: 'relay.local-workspace.key-unavailable', message });
  assert.deepEqual(rig.clock.waits(), []);
  fake.refuse(undefined);
  assert.ok((await rig.open(fake.provider)).current().available);
});

test('a workspace that has data and no data key does not get a new one: it waits for the one it had', async () => {
  await using rig = await createRig();
  const first = await rig.open(rig.service);
  const key = keyOf(first);
  await first.close();
  const path = join(rig.folder, 'data-key.json');
  await rename(path, `${path}.away`);
  const keys = await rig.open(rig.service, { isFresh: false });
  assert.deepEqual(keys.current(), { available: false, since: START, reason: `there is no data-key.json in ${rig.folder}. Restore it from a backup` });
  await writeFile(path, 'odd');
  assert.match(String((await keys.check()).available === false && JSON.stringify(keys.current())), /holds no wrapped data key: it is no JSON/);
  await rename(`${path}.away`, path);
  await keys.check();
  assert.equal(keyOf(keys), key);
  assert.deepEqual(kinds(rig.events), ['key-taken-away', 'key-given-back']);
});

test('a key that is taken away is dropped at the next look, everybody is told, and it is back when it is given back', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const keys = await rig.open(fake.provider);
  const key = keyOf(keys);
  const told: boolean[] = [];
  keys.onChange(({ available }) => void told.push(available));
  keys.onChange(() => told.push(true))();
  rig.clock.advance(30_000);
  fake.refuse(unavailable('there is no file'));
  rig.clock.advance(30_000);
  await eventually('the key is gone', () => !keys.current().available);
  assert.deepEqual(keys.current(), { available: false, since: START + 60_000, reason: 'there is no file' });
  fake.refuse(undefined);
  rig.clock.advance(30_000);
  await eventually('the key is back', () => keys.current().available);
  assert.equal(keyOf(keys), key);
  assert.deepEqual(told, [false, true]);
  assert.deepEqual(rig.events, [
    { kind: 'key-taken-away', workspaceId: BANK, at: START + 60_000, detail: 'there is no file' },
    { kind: 'key-given-back', workspaceId: BANK, at: START + 90_000, detail: 'the fake file' },
  ]);
});

test('what needs a key that is away is refused with since when, why, and what to do', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const keys = await rig.open(fake.provider);
  fake.refuse(unavailable('there is no file /media/stick/keys.'));
  await keys.check();
  const message = `Workspace ${BANK}: its key cannot be had since 2026-11-23T00:00:00.000Z: there is no file /media/stick/keys. Give the key back, and it goes on by itself within a minute.`;
  for (const refused of [keys.rewrap(), keys.changeProvider(rig.service)])
    await assert.rejects(refused, { code: 'relay.local-workspace.key-unavailable', message });
});

test('a provider that does not answer is borne for 50 seconds, then the key is dropped', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('command');
  const keys = await rig.open(fake.provider);
  fake.refuse(unavailableForNow('it did not end within 10 s'));
  rig.clock.advance(30_000);
  for (const [ms, available] of [
    [0, true],
    [10_000, true],
    [10_000, true],
    [29_999, true],
    [1, false],
  ] as const) {
    rig.clock.advance(ms);
    assert.equal((await keys.check()).available, available, `after ${ms} ms more`);
  }
  assert.deepEqual(keys.current(), { available: false, since: START + 30_000, reason: 'it did not end within 10 s' });
});

test('a provider that throws does not end the looks', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('command');
  const keys = await rig.open(fake.provider);
  fake.fail(new Error('it broke'));
  rig.clock.advance(30_000);
  await eventually('the key is gone', () => !keys.current().available);
  assert.deepEqual(rig.clock.waits(), [30_000]);
});

test('one who is told and fails does not keep others from being told', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const keys = await rig.open(fake.provider);
  const told: boolean[] = [];
  keys.onChange(() => {
    throw new Error('no ear');
  });
  keys.onChange(({ available }) => void told.push(available));
  fake.refuse(unavailable('there is no file'));
  await keys.check();
  assert.deepEqual(told, [false]);
  assert.ok(rig.lines.some((line) => line.includes('no ear')));
});

test('an event that nobody can take does not undo what happened', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const onEvent = (): void => {
    throw new Error('no ear');
  };
  const keys = await rig.open(fake.provider, { onEvent });
  fake.rotate();
  assert.equal((await keys.rewrap()).keyId, '2');
  assert.ok(rig.lines.some((line) => line.includes('no ear')));
});

test('the key of the service is renewed on the ninetieth day by itself, and the data key stays the same', async () => {
  await using rig = await createRig();
  const keys = await rig.open(rig.service);
  const key = keyOf(keys);
  const first = keys.wrappedBy();
  assert.equal(keys.rotationDueAt(), START + 90 * DAY_MS);
  rig.clock.advance(90 * DAY_MS - 1);
  await keys.check();
  assert.deepEqual(keys.wrappedBy(), first);
  rig.clock.advance(1);
  await keys.check();
  const [newest, old] = await rig.serviceKeys.ages();
  assert.deepEqual(keys.wrappedBy(), { provider: 'service', keyId: newest?.id, since: new Date(START + 90 * DAY_MS).toISOString() });
  assert.equal(old?.id, first?.keyId);
  assert.equal(keys.rotationDueAt(), START + 180 * DAY_MS);
  assert.equal(keyOf(keys), key);
  await keys.check();
  assert.equal((await rig.serviceKeys.ages()).length, 2);
  assert.deepEqual(kinds(rig.events), ['key-rotated']);
  assert.match(rig.events[0]?.detail ?? '', new RegExp(`^from ${old?.id} to ${newest?.id}, the service key in `));
});

test("a customer's newer key wraps the data key from the next look on; a newer one that is due is the customer's to make", async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const keys = await rig.open(fake.provider);
  rig.clock.advance(100 * DAY_MS);
  await keys.check();
  assert.equal(keys.wrappedBy()?.keyId, '1');
  assert.equal(keys.rotationDueAt(), START + 90 * DAY_MS);
  fake.rotate();
  await keys.check();
  assert.equal(keys.wrappedBy()?.keyId, '2');
  assert.deepEqual(rig.events, [{ kind: 'key-rotated', workspaceId: BANK, at: START + 100 * DAY_MS, detail: 'from 1 to 2, the fake file' }]);
});

test('a rewrap by command takes the newest key at once, and changes nothing when it fails', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const keys = await rig.open(fake.provider);
  fake.rotate();
  assert.equal((await keys.rewrap()).keyId, '2');
  const before = await readFile(join(rig.folder, 'data-key.json'), 'utf8');
  fake.spoil();
  await assert.rejects(
    keys.rewrap(),
    (error: RelayError) => error.code === 'relay.local-workspace.cannot-wrap' && /stays as it is: the fake file wraps it but/.test(error.message),
  );
  assert.equal(await readFile(join(rig.folder, 'data-key.json'), 'utf8'), before);
  assert.ok((await keys.check()).available);
});

test('a data key goes from the service to a customer and back without a change of the key', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const keys = await rig.open(rig.service);
  const key = keyOf(keys);
  assert.equal((await keys.changeProvider(fake.provider)).provider, 'file');
  await rm(join(rig.folder, 'keys', 'service-keys.json'));
  assert.ok((await keys.check()).available);
  fake.refuse(unavailable('there is no file'));
  assert.equal((await keys.check()).available, false);
  fake.refuse(undefined);
  await keys.check();
  assert.equal((await keys.changeProvider(rig.service)).provider, 'service');
  fake.refuse(unavailable('there is no file'));
  await keys.check();
  assert.equal(keyOf(keys), key);
  assert.deepEqual(kinds(rig.events), ['key-provider-changed', 'key-taken-away', 'key-given-back', 'key-provider-changed']);
  assert.match(rig.events[0]?.detail ?? '', /^from the service key in .* \([0-9a-f]{8}\) to the fake file \(1\)$/);
});

test('settings that were changed between two starts take the data key along, if what wrapped it is known', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const first = await rig.open(rig.service);
  const key = keyOf(first);
  await first.close();
  const keys = await rig.open(fake.provider, { others: [rig.service] });
  assert.equal(keyOf(keys), key);
  assert.equal(keys.wrappedBy()?.provider, 'file');
  await keys.close();
  const lost = await rig.open(rig.service, { isFresh: false });
  assert.match(
    JSON.stringify(lost.current()),
    /it is wrapped by key 1 of the kind \\"file\\", which is not the service key in .*\. Put the settings of its key back/,
  );
  assert.equal(lost.wrappedBy()?.provider, 'file');
});

test('a new provider that does not wrap is tried again at each look; until then the old one does', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('file');
  const first = await rig.open(rig.service);
  await first.close();
  fake.refuse(unavailable('there is no file'));
  const keys = await rig.open(fake.provider, { others: [rig.service] });
  assert.ok(keys.current().available);
  assert.equal(keys.wrappedBy()?.provider, 'service');
  assert.ok(rig.lines.some((line) => line.includes('could not be wrapped anew')));
  fake.refuse(undefined);
  await keys.check();
  assert.equal(keys.wrappedBy()?.provider, 'file');
});

test('closed, it has no key, looks no more, and does not wait for a provider that hangs', async () => {
  await using rig = await createRig();
  const fake = createFakeProvider('command');
  const keys = await rig.open(fake.provider);
  fake.hang();
  const checking = keys.check();
  await keys.close();
  assert.equal((await checking).available, false);
  assert.deepEqual(rig.clock.waits(), []);
  assert.deepEqual(rig.events, []);
});
