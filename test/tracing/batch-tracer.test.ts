import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import type { BatchId } from '../../src/batch/batch-id.ts';
import { isTraced, rootSpanIdOf, traceIdOf } from '../../src/tracing/batch-spans.ts';
import { createBatchTracer } from '../../src/tracing/batch-tracer.ts';
import { batchOf, START_MS } from '../cache/batches.ts';

const ID = '019ab0c1-2d3e-7f40-8a1b-2c3d4e5f6071' as BatchId;

function tracerInto(exporter: InMemorySpanExporter, oneIn = 1) {
  const spans: ReadableSpan[] = [];
  const keeping = Object.assign(exporter, {
    // What was exported is gone from it with the shutdown.
    shutdown: async () => void spans.push(...exporter.getFinishedSpans()),
  });
  return { spans, tracer: createBatchTracer({ exporter: keeping, oneIn, relay: 'relay.test', version: '1.2.3', now: () => START_MS + 10_000 }) };
}

describe('the spans of a batch', () => {
  it('bear its id as the id of their trace, and are children of its own span at this relay', async () => {
    const { spans, tracer } = tracerInto(new InMemorySpanExporter());
    const batch = batchOf('a', { id: ID, kind: 'Event' });
    tracer.finished(batch, { step: 'seal', ms: 2, agoMs: 5 });
    tracer.finished(batch, { step: 'batch', ms: 8_000, outcome: 'delivered' });
    await tracer.close();
    const [seal, root] = spans;
    assert.ok(seal && root);
    assert.deepEqual([seal.name, root.name], ['seal', 'batch']);
    assert.equal(traceIdOf(ID), ID.replaceAll('-', ''));
    assert.deepEqual([seal.spanContext().traceId, root.spanContext().traceId], [traceIdOf(ID), traceIdOf(ID)]);
    assert.equal(seal.parentSpanContext?.spanId, root.spanContext().spanId);
    assert.equal(root.spanContext().spanId, rootSpanIdOf(ID, 'relay.test'));
    assert.equal(root.parentSpanContext, undefined);
    assert.deepEqual(seal.endTime, [(START_MS + 9_995 - ((START_MS + 9_995) % 1_000)) / 1_000, 995e6]);
    assert.equal(root.attributes['relay.batch.id'], ID);
    assert.equal(root.attributes['relay.outcome'], 'delivered');
    assert.equal(root.attributes['relay.batch.size'], 1);
    assert.equal(JSON.stringify(root.attributes).includes('"a"'), false, 'nothing of the content');
  });

  it('say why a step failed, without the secrets of whoever said so', async () => {
    const { spans, tracer } = tracerInto(new InMemorySpanExporter());
    tracer.finished(batchOf('a'), { step: 'send', ms: 1, outcome: 'retry', failure: 'HTTP 401: Bearer abcdef0123456789' });
    await tracer.close();
    assert.equal(spans[0]?.status.message, 'HTTP 401: Bearer [secret]');
  });

  it('are of one batch in so many, the same ones at every relay and after every start', async () => {
    const ids = Array.from({ length: 1_000 }, (_, at) => `019ab0c1-2d3e-7f40-8a1b-${at.toString(16).padStart(12, '0')}` as BatchId);
    assert.equal(ids.filter((id) => isTraced(id, 100)).length, 10);
    assert.equal(ids.filter((id) => isTraced(id, 1)).length, 1_000);
    const { spans, tracer } = tracerInto(new InMemorySpanExporter(), 100);
    for (const id of ids) tracer.finished(batchOf('a', { id }), { step: 'index', ms: 1 });
    await tracer.close();
    assert.equal(spans.length, 10);
  });
});
