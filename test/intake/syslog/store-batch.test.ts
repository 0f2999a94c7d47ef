import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { RelayError } from '../../../src/errors.ts';
import type { Arrival } from '../../../src/intake/accept.ts';
import { createGivingUp, createStoreBatch, type GatheredBatch, type GivingUp } from '../../../src/intake/syslog/store-batch.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { parseAgentId } from '../../../src/workspace/workspace-id.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { BANK } from '../rig.ts';

const BATCH: GatheredBatch = {
  sender: { workspaceId: BANK, agentId: parseAgentId('33333333-3333-4333-8333-333333333333') },
  records: ['{"Message":"one"}', '{"Message":"größe"}'],
};

interface Stage {
  readonly clock: ManualClock;
  readonly arrivals: Arrival[];
  readonly giving: GivingUp;
  readonly outcome: Promise<boolean>;
}

/** Begins to store the batch in a cache that takes it when `takes` says so. */
function begin(takes: (tries: number) => boolean, refusal: Error = new RelayError('relay.cache.full', 'There is no room.')): Stage {
  const clock = createManualClock();
  const arrivals: Arrival[] = [];
  const accept = async (arrival: Arrival): Promise<NonNullable<Arrival['id']>> => {
    arrivals.push(arrival);
    if (!takes(arrivals.length) || arrival.id === undefined) throw refusal;
    return arrival.id;
  };
  const store = createStoreBatch({ accept: { accept }, clock, random: (bytes) => void bytes.fill(7), metrics: createMetrics(), log: silentLogger });
  const giving = createGivingUp(clock);
  return { clock, arrivals, giving, outcome: store(BATCH, giving) };
}

async function waitAfter({ clock, arrivals }: Stage, tries: number): Promise<number> {
  await eventually('it has tried and waits', () => arrivals.length === tries && clock.waits().length === 1);
  return clock.waits()[0] ?? 0;
}

describe('a batch of a syslog sender', () => {
  it("is an upload as the Linux agent's, deflated", async () => {
    const { arrivals, outcome } = begin(() => true);
    assert.equal(await outcome, true);
    const [arrival] = arrivals;
    assert.ok(arrival);
    const { body, id, ...facts } = arrival;
    assert.deepEqual(facts, {
      ...BATCH.sender,
      dataType: 'LINUX_SYSLOGS_BLOB',
      solution: 'LogManagement',
      origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'deflate', headers: {} },
    });
    assert.deepEqual(JSON.parse(inflateSync(body).toString()), {
      DataType: 'LINUX_SYSLOGS_BLOB',
      IPName: 'LogManagement',
      DataItems: [{ Message: 'one' }, { Message: 'größe' }],
    });
    assert.match(String(id), /^[0-9a-f-]{36}$/);
  });

  it('is tried until the cache takes it, after longer and longer waits, under one id', async () => {
    const stage = begin((tries) => tries === 9);
    const waits: number[] = [];
    for (let tries = 1; tries < 9; tries += 1) {
      const wait = await waitAfter(stage, tries);
      waits.push(wait / 1_000);
      stage.clock.advance(wait);
    }
    assert.equal(await stage.outcome, true);
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
    assert.equal(new Set(stage.arrivals.map(({ id, body }) => `${id} ${body.toString('base64')}`)).size, 1);
  });

  it('is not dropped for a fault that nobody expected', async () => {
    const stage = begin((tries) => tries === 2, new TypeError('a fault'));
    stage.clock.advance(await waitAfter(stage, 1));
    assert.equal(await stage.outcome, true);
  });

  it('is given up at once when somebody says so, and not tried again', async () => {
    const stage = begin(() => false);
    await waitAfter(stage, 1);
    stage.giving.giveUp();
    assert.equal(await stage.outcome, false);
    assert.equal(stage.arrivals.length, 1);
  });
});
