import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { approvalOf } from '../../src/management-group/approval.ts';
import { BANK, PLANT } from './rig.ts';

const GROUPS = [
  { name: 'web', match: 'web*' },
  { name: 'plant', match: '*', workspace: PLANT },
];

describe('approvalOf', () => {
  const applicant = { hostName: 'web01.example.org', enrolmentKeyName: 'site', workspaceId: BANK };
  const cases = [
    { approve: 'none', because: undefined },
    { approve: 'all', because: 'approved by rule: all' },
    { approve: [], because: undefined },
    { approve: [{ hostName: 'web*' }], because: 'approved by rule: host name web*' },
    { approve: [{ enrolmentKey: 'site' }], because: 'approved by rule: enrolment key site' },
    { approve: [{ hostName: 'web*', enrolmentKey: 'site' }], because: 'approved by rule: host name web*, enrolment key site' },
    { approve: [{ hostName: 'web*', enrolmentKey: 'other' }], because: undefined },
    { approve: [{ hostName: 'db*' }, { enrolmentKey: 'site' }], because: 'approved by rule: enrolment key site' },
    { approve: [{ enrolmentKey: 'Site' }], because: undefined },
    { approve: [{ group: 'web' }], because: 'approved by rule: group web' },
    { approve: [{ group: 'plant' }], because: undefined },
    { approve: [{ group: 'web', enrolmentKey: 'other' }], because: undefined },
    { approve: [{ group: 'web', hostName: '*.org', enrolmentKey: 'site' }], because: 'approved by rule: host name *.org, enrolment key site, group web' },
  ] as const;
  for (const { approve, because } of cases) {
    it(`with ${JSON.stringify(approve)} ${because === undefined ? 'leaves it to an operator' : 'approves and says why'}`, () => {
      assert.equal(approvalOf(applicant, approve, GROUPS), because);
    });
  }
});
