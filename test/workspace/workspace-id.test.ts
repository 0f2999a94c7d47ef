import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAgentId, parseWorkspaceId, readAgentId, readWorkspaceId } from '../../src/workspace/workspace-id.ts';

const GUID = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f';
const NO_GUIDS = [
  '',
  'scom',
  'LAD',
  `{${GUID}}`,
  `${GUID}0`,
  GUID.slice(1),
  GUID.replaceAll('-', ''),
  GUID.replace('3', 'g'),
  `${GUID}\n${GUID}`,
  `../${GUID}`,
];

describe('workspace and agent ids', () => {
  it('are GUIDs in lower case, without the space around them', () => {
    for (const text of [GUID, GUID.toUpperCase(), ` ${GUID}\n`]) {
      assert.equal(readWorkspaceId(text), GUID);
      assert.equal(readAgentId(text), GUID);
      assert.equal(parseWorkspaceId(text), GUID);
      assert.equal(parseAgentId(text), GUID);
    }
  });

  for (const text of NO_GUIDS) {
    it(`are not read from ${JSON.stringify(text)}`, () => {
      assert.equal(readWorkspaceId(text), undefined);
      assert.equal(readAgentId(text), undefined);
      assert.throws(() => parseWorkspaceId(text), { code: 'relay.workspace.bad-id', message: /is a GUID such as/ });
      assert.throws(() => parseAgentId(text), { code: 'relay.agent.bad-id', message: /is a GUID such as/ });
    });
  }

  it('are refused with the value found, cut when it is long', () => {
    assert.throws(() => parseWorkspaceId('x'.repeat(1000)), { message: new RegExp(`found "${'x'.repeat(80)}"\\.$`) });
  });
});
