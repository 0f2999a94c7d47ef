import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fingerprint } from '../../src/authority/x509.ts';
import type { GroupFile, GroupState } from '../../src/group/group-file.ts';
import type { Member, MemberId } from '../../src/group/member.ts';
import type { Snapshot } from '../../src/group/snapshot.ts';
import { takeOver } from '../../src/group/taking-over.ts';
import { silentLogger } from '../../src/logger.ts';

function member(id: string): Member {
  return { id: id as MemberId, name: id, address: `https://${id}:1`, certificates: [], joinedAt: 0 };
}

const [ONE, TWO] = [member('a'), member('b')];
const GONE = 'f'.repeat(64) as Fingerprint;

/** A relay that takes over snapshots; what it does, in order. */
function relay(file: GroupFile): { readonly did: string[]; readonly file: () => GroupFile | undefined; take(snapshot: Partial<Snapshot>): Promise<void> } {
  const did: string[] = [];
  let current: GroupFile | undefined = file;
  const state = {
    current: () => current,
    async change(next: Parameters<GroupState['change']>[0]) {
      current = next(current);
      did.push('members');
    },
  } as GroupState;
  const parts = {
    state,
    authority: { adopt: async () => void did.push('roots') },
    group: {
      saveTo: (path: string) => void did.push(`saved ${path}`),
      adoptCopy() {
        did.push('agents');
        return { agentsPut: 1, agentsGone: 0, ended: [GONE] };
      },
    },
    routing: { adopt: async () => void did.push('rules') },
    keepAside: (term: number) => `aside-${term}`,
    onEnded: (ended: readonly Fingerprint[]) => void did.push(`ended ${ended.length}`),
    log: silentLogger,
  };
  return { did, file: () => current, take: (snapshot) => takeOver({ term: 1, primary: ONE.id, members: [ONE, TWO], ...snapshot } as Snapshot, parts) };
}

const MEMBER: GroupFile = { id: TWO.id, term: 1, primary: ONE.id, members: [ONE, TWO], tokens: [] };

describe('a member that takes over a snapshot', () => {
  it('has the roots first, and ends connections of those who may send no more', async () => {
    const { did, take } = relay(MEMBER);
    await take({});
    assert.deepEqual(did, ['roots', 'agents', 'ended 1', 'rules', 'members']);
  });

  it('changes nothing for one of a relay that is the primary no more, and none as the primary', async () => {
    for (const file of [
      { ...MEMBER, term: 2 },
      { ...MEMBER, primary: TWO.id },
    ]) {
      const { did, take } = relay(file);
      await assert.rejects(take({}), { code: 'relay.group.not-primary' });
      assert.deepEqual(did, []);
    }
  });

  it('keeps aside what it knew as a primary that was replaced, once', async () => {
    const { did, file, take } = relay({ ...MEMBER, term: 2, isDisplaced: true });
    await take({ term: 2 });
    await take({ term: 2 });
    assert.deepEqual(
      did.filter((one) => one.startsWith('saved')),
      ['saved aside-2'],
    );
    assert.equal(file()?.isDisplaced, undefined);
  });
});
