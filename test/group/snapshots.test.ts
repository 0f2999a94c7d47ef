import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MemberId } from '../../src/group/member.ts';
import type { Snapshot } from '../../src/group/snapshot.ts';
import { createSnapshots, type Snapshots } from '../../src/group/snapshots.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

interface Rig {
  readonly snapshots: Snapshots;
  readonly clock: ManualClock;
  /** How many were made. */
  made(): number;
  /** Something changes; making a snapshot of it takes so long. */
  change(takesMs?: number): void;
}

function rig(): Rig {
  const clock = createManualClock();
  let [changes, made, takesMs] = [0, 0, 0];
  const take = (): Snapshot => {
    made += 1;
    clock.advance(takesMs);
    return {
      term: 1,
      primary: 'a1b2c3d4e5f6' as MemberId,
      members: [],
      authority: { roots: { current: { certificate: '', privateKey: '' }, retired: [] }, issuedUntil: changes },
      group: { agents: [], certificates: [], tokens: [], agentKeys: [], issued: [], enrolmentKeys: [] },
      rules: [],
      workspaces: [],
    };
  };
  const snapshots = createSnapshots({ take, stamp: () => String(changes), clock });
  return {
    snapshots,
    clock,
    made: () => made,
    change(ms = 0) {
      changes += 1;
      takesMs = ms;
    },
  };
}

/** Waits for another version; tells whether it has come. */
function waitFor({ snapshots }: Rig, version: string): { isOver: boolean } {
  const waiting = { isOver: false };
  void snapshots
    .wait(version, 60_000, () => {})
    .then(() => {
      waiting.isOver = true;
    });
  return waiting;
}

describe('snapshots', () => {
  it('are made anew only when something has changed', async () => {
    const { snapshots, made, change } = rig();
    const first = await snapshots.current();
    assert.equal((await snapshots.current()).version, first.version);
    assert.equal(made(), 1);
    change();
    assert.notEqual((await snapshots.current()).version, first.version);
    assert.equal(made(), 2);
    snapshots.stop();
  });

  it('let go of whoever waits within a look after a change, and not before', async () => {
    const one = rig();
    const { version } = await one.snapshots.current();
    const waiting = waitFor(one, version);
    await eventually('the look is planned', () => one.clock.waits().length >= 2);
    one.clock.advance(500);
    await eventually('it has looked', () => one.clock.waits().includes(500));
    assert.equal(waiting.isOver, false);
    one.change();
    one.clock.advance(500);
    await eventually('the one who waited goes on', () => waiting.isOver);
    one.snapshots.stop();
  });

  it('take a tenth of the time at most while much changes, and whoever does not wait gets what is newest', async () => {
    const one = rig();
    one.change(1_000);
    const { version } = await one.snapshots.current();
    waitFor(one, version);
    await eventually('somebody waits', () => one.clock.waits().length >= 2);
    one.change(0);
    for (let looks = 0; looks < 19; looks += 1) {
      one.clock.advance(500);
      await eventually('it has looked', () => one.clock.waits().includes(500));
    }
    assert.equal(one.made(), 1, 'it took a second: it rests for ten');
    assert.equal((await one.snapshots.latest()).version, version);
    assert.notEqual((await one.snapshots.current()).version, version);
    one.snapshots.stop();
  });
});
