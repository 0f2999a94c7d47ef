import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { createBatchId } from '../../src/batch/batch-id.ts';
import { openBatch, sealBatch } from '../../src/batch/envelope.ts';
import { generateKeyRing, type KeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { seal } from '../../src/workspace/seal.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { CAPTURED_AGENT, CAPTURED_WORKSPACE, readCapture } from '../support/oms-captures.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const OTHER_GUID = '00000000-0000-0000-0000-000000000001';
const KEYS = openKeyRing(JSON.stringify(generateKeyRing()));

const BATCH: Batch = {
  id: createBatchId(NOW, randomFillSync),
  workspaceId: parseWorkspaceId(CAPTURED_WORKSPACE),
  agentId: parseAgentId(CAPTURED_AGENT),
  kind: 'Event',
  dataType: 'DemoLog',
  solution: '',
  receivedAt: NOW,
  origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'deflate', headers: { 'log-type': 'DemoLog', 'time-generated-field': 'ü' } },
  body: readCapture('009').body,
};

const sealed = (batch: Batch, keys: KeyRing = KEYS): Buffer => Buffer.concat(sealBatch(batch, keys));

describe('sealBatch and openBatch', () => {
  it('give back the whole batch, its body to the byte', () => {
    for (const batch of [BATCH, { ...BATCH, body: Buffer.alloc(0) }, { ...BATCH, dataType: '', body: Buffer.from([0, 255, 10, 123]) }]) {
      assert.deepEqual(openBatch(sealed(batch), batch, KEYS), batch);
    }
  });

  it('give back a body of 16 MiB', () => {
    const body = Buffer.alloc(16 * 1024 * 1024, 'relay');
    assert.ok(openBatch(sealed({ ...BATCH, body }), BATCH, KEYS).body.equals(body));
  });

  it('show nothing of the batch in the sealed bytes', () => {
    const bytes = sealed({ ...BATCH, body: Buffer.from('a secret line') });
    for (const text of ['DemoLog', 'operational-data', 'secret', CAPTURED_AGENT]) assert.equal(bytes.includes(text), false);
  });

  it('do not seal the same batch to the same bytes', () => {
    assert.equal(sealed(BATCH).equals(sealed(BATCH)), false);
  });

  const elsewhere = {
    'another workspace': { workspaceId: parseWorkspaceId(OTHER_GUID) },
    'another kind': { kind: 'Alert' },
    'another agent': { agentId: parseAgentId(OTHER_GUID) },
    'another batch id': { id: createBatchId(NOW, randomFillSync) },
  } as const;
  for (const [what, change] of Object.entries(elsewhere)) {
    it(`refuse to open for ${what}`, () => {
      const bytes = sealed(BATCH);
      assert.throws(() => openBatch(bytes, { ...BATCH, ...change }, KEYS), { code: 'relay.seal.cannot-open' });
      assert.deepEqual(openBatch(bytes, BATCH, KEYS), BATCH);
    });
  }

  it('refuse to open with another ring', () => {
    const other = openKeyRing(JSON.stringify(generateKeyRing()));
    assert.throws(() => openBatch(sealed(BATCH), BATCH, other), { code: 'relay.seal.cannot-open', message: /key [0-9a-f]{8} is not in the key ring/ });
  });

  it('open what an older key of the ring sealed, and seal with the current one', () => {
    const older = generateKeyRing();
    const newer = generateKeyRing();
    const bytes = sealed(BATCH, openKeyRing(JSON.stringify(older)));
    const both = openKeyRing(JSON.stringify({ current: newer.current, keys: { ...older.keys, ...newer.keys } }));
    assert.deepEqual(openBatch(bytes, BATCH, both), BATCH);
    assert.equal(sealed(BATCH, both).toString('hex', 1, 5), newer.current);
  });

  it('say what to do with a layout from a newer relay', () => {
    const key = KEYS.workspaceKey(BATCH.workspaceId, KEYS.currentKeyId);
    assert.ok(key);
    const context = `relay batch v1 ${BATCH.workspaceId} ${BATCH.kind} ${BATCH.agentId} ${BATCH.id}`;
    const bytes = Buffer.concat(seal([Buffer.from([2, 0, 0, 0, 0])], key, KEYS.currentKeyId, context));
    assert.throws(() => openBatch(bytes, BATCH, KEYS), {
      code: 'relay.batch.unknown-version',
      message: /layout 2, this relay reads 1\. Run the newer release/,
    });
  });
});
