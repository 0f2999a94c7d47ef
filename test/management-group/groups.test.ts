import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { groupsOf } from '../../src/management-group/groups.ts';
import { BANK, PLANT } from './rig.ts';

const GROUPS = [
  { name: 'web', match: 'web-*' },
  { name: 'tills', match: 'till-??' },
  { name: 'plant', match: '*', workspace: PLANT },
  { name: 'everyone', match: '*' },
];

describe('groupsOf', () => {
  const cases = [
    { hostName: 'web-01', displayName: undefined, workspaceId: BANK, groups: ['web', 'everyone'] },
    { hostName: 'WEB-01.example.org', displayName: undefined, workspaceId: PLANT, groups: ['web', 'plant', 'everyone'] },
    { hostName: 'ip-10-0-0-7', displayName: 'till-07', workspaceId: BANK, groups: ['tills', 'everyone'] },
    { hostName: 'web-02', displayName: 'till-08', workspaceId: BANK, groups: ['web', 'tills', 'everyone'] },
    { hostName: 'till-7', displayName: undefined, workspaceId: BANK, groups: ['everyone'] },
  ];
  for (const { groups, ...agent } of cases) {
    it(`puts ${agent.hostName}${agent.displayName ? ` (${agent.displayName})` : ''} into ${groups.join(', ')}`, () =>
      assert.deepEqual(groupsOf(agent, GROUPS), groups));
  }

  it('knows of no group where none is configured', () => assert.deepEqual(groupsOf({ hostName: 'a', displayName: undefined, workspaceId: BANK }, []), []));
});
