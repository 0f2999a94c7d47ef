import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { managementGroupOptions } from '../../src/management-group/options.ts';
import { BANK } from './rig.ts';

describe("the management group's options", () => {
  it('take groups, and rules for them', () => {
    const found = {
      groups: [
        { name: 'web', match: 'web-*' },
        { name: 'bank', match: '*', workspace: BANK },
      ],
      approve: [{ group: 'web' }],
    };
    const { groups, approve } = managementGroupOptions.parse(found);
    assert.deepEqual(
      groups.map(({ name, workspace }) => [name, workspace]),
      [
        ['web', undefined],
        ['bank', BANK],
      ],
    );
    assert.deepEqual(approve, [{ group: 'web' }]);
    assert.deepEqual(managementGroupOptions.parse(undefined), { approve: 'none', groups: [] });
  });

  const refused = [
    {
      found: {
        groups: [
          { name: 'a', match: 'x' },
          { name: 'a', match: 'y' },
        ],
      },
      message: /several groups named a; each needs a name of its own/,
    },
    {
      found: { groups: [{ name: 'a', match: 'x' }], approve: [{ group: 'b' }] },
      message: /found rules for b; managementGroup\.groups has no group of that name/,
    },
    { found: { groups: [{ name: 'a' }] }, message: /missing; a host name pattern/ },
    { found: { groups: [{ name: 'a b', match: 'x' }] }, message: /the name of a group/ },
    { found: { groups: [{ name: 'a', match: 'x', workspace: 'bank' }] }, message: /a workspace id, a GUID/ },
    { found: { groups: 'web' }, message: /a list/ },
    { found: { groups: [7], approve: [7] }, message: /a section of options/ },
    { found: { approve: [{}] }, message: /found an empty rule/ },
  ];
  for (const { found, message } of refused) {
    it(`refuse ${JSON.stringify(found)}`, () => {
      const parsed = managementGroupOptions.safeParse(found);
      assert.ok(!parsed.success);
      assert.match(parsed.error.issues.map((issue) => issue.message).join('\n'), message);
    });
  }
});
