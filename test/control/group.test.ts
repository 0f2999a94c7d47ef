import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { screenOf } from '../../src/commands/group.ts';
import { aboutLines } from '../../src/commands/status-lines.ts';
import type { Status } from '../../src/control/api.ts';
import { attentionOf } from '../../src/control/attention-of.ts';
import { concernsGroup } from '../../src/control/group-routes.ts';
import type { GroupStatus, MemberStatus } from '../../src/group/status.ts';
import { readGroup } from '../../src/metrics/group-gauges.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { STATUS } from './rig.ts';

const NOW = STATUS.startedAt + 3_600_000;
const MINUTE_MS = 60_000;

const one: MemberStatus = { id: 'a', name: 'one', address: 'https://one:8443', role: 'primary', isSelf: false, copy: 'newest' };
const two: MemberStatus = { id: 'b', name: 'two', address: 'https://two:8443', role: 'member', isSelf: true, copy: 'newest' };

function member(confirmedAt: number | undefined, missingWorkspaces: readonly string[] = []): GroupStatus {
  const copy = { confirmedAt, trouble: 'no answer', missingWorkspaces };
  return {
    name: 'two',
    role: 'member',
    term: 1,
    primary: { name: 'one', address: 'https://one:8443' },
    members: [{ ...one, heardAt: confirmedAt }, two],
    copy,
  };
}

function primary(heardAt: number | undefined): GroupStatus {
  const members = [
    { ...one, isSelf: true },
    { ...two, isSelf: false, heardAt },
  ];
  return { name: 'one', role: 'primary', term: 1, primary: { name: 'one', address: 'https://one:8443' }, members };
}

function needs(group: GroupStatus): string[] {
  const status: Status = { ...STATUS, cache: { ...STATUS.cache, workspaces: [] }, agents: { pending: 0, approved: 0, suspended: 0 }, group };
  return attentionOf(status, NOW).flatMap(({ severity, text }) => (text.includes('group') ? [`${severity} ${text}`] : []));
}

describe('a group of relays that needs a person', () => {
  it('is none while its copy is confirmed now and then', () => assert.deepEqual(needs(member(NOW - 4 * MINUTE_MS)), []));

  it('is looked at when its primary is away for minutes, and acted on after a day', () => {
    assert.match(needs(member(NOW - 6 * MINUTE_MS)).join(), /^look the primary one of the group has not answered for 6m/);
    assert.match(needs(member(undefined)).join(), /^look the primary one of the group has not answered for 1h/, 'since the start at the longest');
    const old = { ...STATUS, startedAt: 0, cache: { ...STATUS.cache, workspaces: [] }, group: member(NOW - 25 * 60 * MINUTE_MS) };
    assert.match(
      attentionOf(old, NOW)
        .map(({ severity, command }) => `${severity} ${command}`)
        .join(),
      /act relay group promote --primary-lost/,
    );
  });

  it('is looked at when a member has not answered the primary for minutes', () => {
    assert.deepEqual(needs(primary(NOW - MINUTE_MS)), []);
    assert.match(needs(primary(NOW - 3 * MINUTE_MS)).join(), /^look the relay two of the group at https:\/\/two:8443 has not answered for 3m/);
  });

  it('is acted on when a relay does not serve a workspace of the group', () =>
    assert.match(needs(member(NOW, ['w1'])).join(), /^act this relay does not serve workspace w1/));
});

describe('what is told of a group', () => {
  it('is its part, its copy and its silent members, as figures', async () => {
    const metrics = createMetrics();
    const figures = async (group: GroupStatus | undefined): Promise<string[]> => {
      readGroup(metrics, group, { now: NOW, startedAt: STATUS.startedAt });
      return (await metrics.expose()).split('\n').filter((line) => line.startsWith('relay_group_') && !line.includes('forwarded'));
    };
    const roles = (role: string): string[] => ['alone', 'primary', 'member'].map((one) => `relay_group_role{role="${one}"} ${one === role ? 1 : 0}`);
    assert.deepEqual(await figures(undefined), [...roles('alone'), 'relay_group_copy_age_seconds 0', 'relay_group_members_unheard 0']);
    assert.deepEqual(await figures(member(NOW - 90_000)), [...roles('member'), 'relay_group_copy_age_seconds 90', 'relay_group_members_unheard 0']);
    assert.deepEqual(await figures(primary(NOW - 90_000)), [...roles('primary'), 'relay_group_copy_age_seconds 0', 'relay_group_members_unheard 1']);
  });

  it('is in the status, and as a table', () => {
    assert.ok(
      aboutLines({ ...STATUS, group: member(NOW - 3_000) }, NOW).includes(
        'group         two is a member of 2 relays; primary one at https://one:8443; copy 3s old',
      ),
    );
    assert.ok(aboutLines({ ...STATUS, group: primary(NOW) }, NOW).includes('group         one is the primary of 2 relays'));
    const screen = screenOf(member(NOW - 3_000), NOW);
    assert.match(screen, /two \(this one\) +member +https:\/\/two:8443 +- +newest/);
    assert.match(screen, /The primary did not answer: no answer/);
  });
});

describe('what a member refuses to do', () => {
  it('is every change of what the group shares, and nothing of its own', () => {
    for (const path of ['/agents/web01/suspend', '/enrolment-keys', '/enrolment-tokens/x', '/authority/rotate', '/solutions/x'])
      assert.equal(concernsGroup({ method: 'post', path }), true, path);
    for (const [method, path] of [
      ['get', '/agents'],
      ['get', '/enrolment-keys'],
      ['post', '/keys/rotate'],
      ['post', '/cache/x/purge'],
      ['post', '/group/promote'],
      ['delete', '/dead-letters/x'],
    ] as const)
      assert.equal(concernsGroup({ method, path }), false, path);
  });
});
