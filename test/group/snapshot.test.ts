import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { MemberId } from '../../src/group/member.ts';
import { packSnapshot, type Snapshot, unpackSnapshot } from '../../src/group/snapshot.ts';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';

const SECRET = Buffer.alloc(64, 'the enrolment key').toString('base64');
const SNAPSHOT: Snapshot = {
  term: 2,
  primary: 'a1b2c3d4e5f6' as MemberId,
  members: [{ id: 'a1b2c3d4e5f6' as MemberId, name: 'one', address: 'https://one.example.org:8443', certificates: [], joinedAt: 1 }],
  authority: { roots: { current: { certificate: 'a certificate', privateKey: 'a private key' }, retired: [] }, issuedUntil: 5 },
  group: {
    agents: [{ workspace_id: 'w', agent_id: 'a', host_name: 'web01', display_name: null }],
    certificates: [],
    tokens: [],
    agentKeys: [],
    issued: [],
    enrolmentKeys: [{ id: 'k', name: 'web', workspaceId: parseWorkspaceId('11111111-1111-4111-8111-111111111111'), createdAt: 1, uses: 0, key: SECRET }],
  },
  rules: [{ solution: 'Performance counters', route: 'direct' }],
  workspaces: ['11111111-1111-4111-8111-111111111111'],
};

describe('a snapshot', () => {
  it('arrives as it was sent', async () => assert.deepEqual(await unpackSnapshot((await packSnapshot(SNAPSHOT)).bytes), SNAPSHOT));

  it('has one version for one content, and another for any other', async () => {
    const { version } = await packSnapshot(SNAPSHOT);
    assert.equal((await packSnapshot(structuredClone(SNAPSHOT))).version, version);
    const others: readonly Snapshot[] = [
      { ...SNAPSHOT, term: 3 },
      { ...SNAPSHOT, rules: [] },
      { ...SNAPSHOT, group: { ...SNAPSHOT.group, agents: [] } },
      { ...SNAPSHOT, authority: { ...SNAPSHOT.authority, issuedUntil: 6 } },
    ];
    const versions = await Promise.all(others.map(async (other) => (await packSnapshot(other)).version));
    assert.equal(new Set([version, ...versions]).size, others.length + 1);
  });

  it('compresses no secret together with names that agents choose', async () => {
    const { bytes } = await packSnapshot(SNAPSHOT);
    assert.ok(bytes.includes(SECRET), 'as it is, before the compressed part');
  });

  it('that is damaged, or of a release that writes otherwise, is refused without showing what it holds', async () => {
    const { bytes } = await packSnapshot(SNAPSHOT);
    const otherFormat = (): Buffer => {
      const secret = Buffer.from(JSON.stringify({ format: 2, privateKey: SECRET }));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(secret.length);
      return Buffer.concat([length, secret, gzipSync('{}')]);
    };
    for (const broken of [
      Buffer.alloc(0),
      bytes.subarray(0, 200),
      bytes.subarray(0, -20),
      Buffer.concat([bytes.subarray(0, 60), bytes.subarray(70)]),
      otherFormat(),
    ]) {
      await assert.rejects(unpackSnapshot(broken), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'relay.group.bad-snapshot');
        assert.match(error.message, /upgrade this relay too/);
        assert.ok(!error.message.includes('key"') && !error.message.includes(SECRET.slice(0, 10)));
        return true;
      });
    }
  });
});
