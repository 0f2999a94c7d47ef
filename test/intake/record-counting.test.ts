import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRecordCounting } from '../../src/intake/record-counting.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import { batchOf, OTHER, WORKSPACE } from '../cache/batches.ts';
import { eventually } from '../support/eventually.ts';

async function has(metrics: Metrics, line: string): Promise<boolean> {
  return (await metrics.expose()).split('\n').includes(line);
}

const COUNTED = `relay_received_records_total{workspace="${WORKSPACE}",kind="Event"}`;
const UNCOUNTED = `relay_received_uncounted_batches_total{workspace="${WORKSPACE}"}`;

describe('counting the records of what was acknowledged', () => {
  it('counts for each workspace that the batch was kept for', async () => {
    const metrics = createMetrics();
    const counting = createRecordCounting({ countIn: () => Promise.resolve(7), metrics });
    counting.note(batchOf('a', { kind: 'Event' }), [WORKSPACE, OTHER]);
    await eventually('both are counted', () => has(metrics, `relay_received_records_total{workspace="${OTHER}",kind="Event"} 7`));
    assert.ok(await has(metrics, `${COUNTED} 7`));
  });

  it('says how many could not be counted: unreadable ones, those that ended the counting, and those too many', async () => {
    const metrics = createMetrics();
    const gate = Promise.withResolvers<number | undefined>();
    const answers: (() => Promise<number | undefined>)[] = [
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error('the thread ended')),
      () => gate.promise,
    ];
    const counting = createRecordCounting({ countIn: () => answers.shift()?.() ?? Promise.resolve(1), metrics, maxWaitingBytes: 10 });
    counting.note(batchOf('unreadab', { kind: 'Event' }), [WORKSPACE]);
    await eventually('the first is uncounted', () => has(metrics, `${UNCOUNTED} 1`));
    counting.note(batchOf('it-throws', { kind: 'Event' }), [WORKSPACE]);
    await eventually('the second is uncounted', () => has(metrics, `${UNCOUNTED} 2`));
    counting.note(batchOf('it-waits', { kind: 'Event' }), [WORKSPACE]);
    counting.note(batchOf('too-much', { kind: 'Event' }), [WORKSPACE]);
    assert.ok(await has(metrics, `${UNCOUNTED} 3`));
    gate.resolve(4);
    await eventually('what waited is counted', () => has(metrics, `${COUNTED} 4`));
    counting.note(batchOf('again', { kind: 'Event' }), [WORKSPACE]);
    await eventually('there is room again', () => has(metrics, `${COUNTED} 5`));
  });
});
