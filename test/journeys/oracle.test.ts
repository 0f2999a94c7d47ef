import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { createOracle } from '../support/oracle.ts';
import { BANK, PLANT } from '../support/site.ts';

const AGENT = parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f');

test('the oracle notices a batch that is missing, altered, invented, sent to another workspace or sent twice', () => {
  const oracle = createOracle();
  for (const sha256 of ['a', 'b', 'unanswered']) oracle.offered(BANK, sha256);
  for (const [batchId, sha256] of [
    ['1', 'a'],
    ['2', 'b'],
  ] as const)
    oracle.acknowledged({ workspaceId: BANK, agentId: AGENT, batchId, sha256 });
  const arrived = (batchId: string, sha256: string, repeated = false) => ({ batchId, agentId: AGENT, sha256, repeated });
  const whole = [arrived('1', 'a'), arrived('2', 'b')];

  assert.deepEqual(oracle.compare(BANK, whole), { missing: 0, invented: 0, repeated: 0, arrived: 2 });
  assert.deepEqual(oracle.compare(BANK, [...whole, arrived('3', 'unanswered')]), { missing: 0, invented: 0, repeated: 0, arrived: 3 });
  assert.deepEqual(oracle.compare(BANK, [arrived('1', 'a')]), { missing: 1, invented: 0, repeated: 0, arrived: 1 });
  assert.deepEqual(oracle.compare(BANK, [arrived('1', 'a'), arrived('2', 'changed')]), { missing: 1, invented: 1, repeated: 0, arrived: 2 });
  assert.deepEqual(oracle.compare(BANK, [...whole, arrived('2', 'b', true)]), { missing: 0, invented: 0, repeated: 1, arrived: 3 });
  assert.deepEqual(oracle.compare(PLANT, whole), { missing: 0, invented: 2, repeated: 0, arrived: 2 });
  assert.equal(oracle.count(), 2);
});
