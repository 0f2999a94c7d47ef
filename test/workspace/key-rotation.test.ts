import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import { loadKeyRing, type StoredKeyRing } from '../../src/workspace/key-ring-file.ts';
import { createKeyRotation, type KeyHolding, type KeyRotation } from '../../src/workspace/key-rotation.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DAY_MS = 86_400_000;
const LOOK_MS = 10 * 60_000;

interface Rig extends AsyncDisposable {
  readonly ring: StoredKeyRing;
  readonly rotation: KeyRotation;
  readonly clock: ManualClock;
  readonly file: string;
  readonly lines: string[];
  /** What the next looks find. */
  holdings: KeyHolding[];
  /** Keys whose data was given up. */
  readonly forgotten: string[];
  /** What the relay did to its keys without being asked. */
  readonly ownChanges: unknown[];
  /** How often everything was sealed again. */
  resealed: number;
  /** Turns the clock on and waits until the look that was due is over. */
  look(ms?: number): Promise<void>;
}

async function createRig(): Promise<Rig> {
  const folder = await temporaryFolder();
  const clock = createManualClock(Date.UTC(2026, 10, 23));
  const lines: string[] = [];
  const log = createLogger('info', { write: (line: string) => void lines.push(line) });
  const file = join(folder.path, 'cache.json');
  const ring = await loadKeyRing({ credentialsFolder: undefined, keyFile: undefined, ownFile: file, now: clock.now }, log);
  const rotation = createKeyRotation({
    ring,
    keyLifeMs: 90 * DAY_MS,
    holdings: () => Promise.resolve(rig.holdings),
    reseal: () => {
      rig.resealed += 1;
    },
    forget: (keyId) => {
      rig.forgotten.push(keyId);
      return Promise.resolve();
    },
    onOwnChange: (action, keyId) => void rig.ownChanges.push([action, keyId]),
    clock,
    log,
  });
  const rig: Rig = {
    ring,
    rotation,
    clock,
    file,
    lines,
    holdings: [],
    resealed: 0,
    forgotten: [],
    ownChanges: [],
    async look(ms = LOOK_MS) {
      clock.advance(ms);
      await eventually('the look is over', () => clock.waits().length === 1);
    },
    async [Symbol.asyncDispose]() {
      await rotation.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
  await rotation.start();
  return rig;
}

describe('the rotation of keys', () => {
  it('tells of what it does by itself, so that it can be entered; not of what it was told to do', async () => {
    await using rig = await createRig();
    const first = rig.ring.currentKeyId;
    const { to: second } = await rig.rotation.rotate();
    assert.deepEqual(rig.ownChanges, []);
    await rig.look(90 * DAY_MS);
    const third = rig.ring.currentKeyId;
    for (let looks = 0; looks < 7; looks += 1) await rig.look();
    assert.deepEqual(rig.ownChanges, [
      ['key.rotate', third],
      ['key.remove', first],
      ['key.remove', second],
    ]);
  });

  it('by command makes a new current key at once and durably, and keeps the old one', async () => {
    await using rig = await createRig();
    const before = rig.ring.currentKeyId;
    const rotated = await rig.rotation.rotate();
    assert.deepEqual(rotated, { from: before, to: rig.ring.currentKeyId });
    assert.notEqual(rotated.to, before);
    assert.equal((JSON.parse(await readFile(rig.file, 'utf8')) as { current: string }).current, rotated.to);
    assert.deepEqual(
      (await rig.rotation.list()).map(({ id, isCurrent, isInUse }) => [id, isCurrent, isInUse]),
      [
        [rotated.to, true, false],
        [before, false, false],
      ],
    );
    assert.equal(rig.resealed, 2);
  });

  it('happens by itself on the ninetieth day, once', async () => {
    await using rig = await createRig();
    const first = rig.ring.currentKeyId;
    await rig.look(90 * DAY_MS - LOOK_MS);
    assert.equal(rig.ring.currentKeyId, first);
    await rig.look();
    const second = rig.ring.currentKeyId;
    assert.notEqual(second, first);
    rig.holdings = [{ keyId: first, groups: 1 }];
    for (let hour = 0; hour < 3; hour += 1) await rig.look();
    assert.equal(rig.ring.currentKeyId, second);
  });

  it('removes an old key only after it was unused at every look for an hour', async () => {
    await using rig = await createRig();
    const { from } = await rig.rotation.rotate();
    rig.holdings = [{ keyId: from, groups: 0 }];
    for (let looks = 0; looks < 12; looks += 1) await rig.look();
    assert.ok(rig.ring.has(from), 'a segment still names it');
    rig.holdings = [];
    for (let looks = 0; looks < 4; looks += 1) await rig.look();
    // It comes into use again, such as by a letter that was just being written.
    rig.holdings = [{ keyId: from, deadLetters: 1 }];
    await rig.look();
    rig.holdings = [];
    for (let looks = 0; looks < 6; looks += 1) await rig.look();
    assert.ok(rig.ring.has(from), 'fifty minutes are no hour');
    await rig.look();
    assert.equal(rig.ring.has(from), false);
    assert.deepEqual(Object.keys((JSON.parse(await readFile(rig.file, 'utf8')) as { keys: object }).keys), [rig.ring.currentKeyId]);
  });

  it('lists what each key still protects, and keys that are lost', async () => {
    await using rig = await createRig();
    const keyId = rig.ring.currentKeyId;
    rig.holdings = [
      { keyId, groups: 2 },
      { keyId, deadLetters: 3 },
      { keyId, enrolmentKeys: 1 },
      { keyId, enrolmentKeys: 1 },
      { keyId: 'deadbeef', groups: 7 },
    ];
    const listed = await rig.rotation.list();
    assert.deepEqual(
      listed.map(({ id, groups, deadLetters, enrolmentKeys, isLost }) => [id, groups, deadLetters, enrolmentKeys, isLost]),
      [
        [keyId, 2, 3, 2, false],
        ['deadbeef', 7, 0, 0, true],
      ],
    );
  });

  it('gives up what a key sealed only when that key is lost', async () => {
    await using rig = await createRig();
    rig.holdings = [
      { keyId: rig.ring.currentKeyId, groups: 2 },
      { keyId: 'deadbeef', groups: 7 },
    ];
    for (const keyId of [rig.ring.currentKeyId, '00000000']) {
      await assert.rejects(rig.rotation.forget(keyId), { code: 'relay.control.not-found', message: /relay keys list/ });
    }
    assert.equal((await rig.rotation.forget('deadbeef')).groups, 7);
    await rig.rotation.rotate();
    assert.deepEqual(rig.forgotten, ['deadbeef']);
  });

  it('never shows a key: not in the log, not in the list', async () => {
    await using rig = await createRig();
    await rig.rotation.rotate();
    const { keys } = JSON.parse(await readFile(rig.file, 'utf8')) as { keys: Record<string, string> };
    const shown = rig.lines.join() + JSON.stringify(await rig.rotation.list());
    for (const key of Object.values(keys)) assert.equal(shown.includes(key), false);
    assert.match(shown, /a new key seals what comes from now on/);
  });

  it('two at the same moment follow each other', async () => {
    await using rig = await createRig();
    const [one, two] = await Promise.all([rig.rotation.rotate(), rig.rotation.rotate()]);
    assert.equal(two.from, one.to);
    assert.equal(rig.ring.ages().length, 3);
  });
});
