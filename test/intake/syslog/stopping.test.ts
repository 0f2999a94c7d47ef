import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { createByteBudget } from '../../../src/intake/syslog/byte-budget.ts';
import { type SyslogConnection, serveConnection } from '../../../src/intake/syslog/syslog-connection.ts';
import { silentLogger } from '../../../src/logger.ts';
import type { Agent } from '../../../src/management-group/agent.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { parseAgentId } from '../../../src/workspace/workspace-id.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { BANK } from '../rig.ts';
import { counted } from './rig.ts';

const GRACE_MS = 10_000;
const NOTICE_MS = 500;
const LOOK_MS = 100;
/** As much as a sender whose data waited on the way brings between two looks, and as little as one that goes on at its own pace. */
const MUCH = counted(`<13>${'x'.repeat(64 * 1024)}`);
const LITTLE = counted('<13>x');

interface Stage {
  readonly clock: ManualClock;
  readonly connection: SyslogConnection;
  /** Bytes come from the sender. */
  come(bytes: Buffer): Promise<void>;
  /** Time goes on, and the event loop turns a few times. */
  advance(ms: number): Promise<void>;
  hasEnded(): boolean;
  /** Whether the sender was told. */
  isTold(): boolean;
}

/** A connection whose bytes come exactly when the test says so, of a sender that never closes. */
function stage(): Stage {
  const clock = createManualClock();
  let told = false;
  const wire = new Duplex({
    allowHalfOpen: true,
    read() {},
    final(done) {
      told = true;
      done();
    },
  });
  const socket = Object.assign(wire, { remoteAddress: '10.0.0.7', setKeepAlive() {}, setTimeout() {} }) as unknown as TLSSocket;
  const sender = { workspaceId: BANK, agentId: parseAgentId('33333333-3333-4333-8333-333333333333'), hostName: 'fw01' } as Agent;
  const connection = serveConnection({
    socket,
    mustBeSender: () => sender,
    maxMessageBytes: 1_024,
    idleTimeoutMs: 60_000,
    batchEveryMs: 1_000,
    batchBytes: 1_000_000,
    store: async () => true,
    budget: createByteBudget(1_000_000),
    clock,
    metrics: createMetrics(),
    log: silentLogger,
  });
  const turns = async (): Promise<void> => {
    for (let times = 0; times < 4; times += 1) await turn();
  };
  return {
    clock,
    connection,
    async come(bytes) {
      wire.push(bytes);
      await turns();
    },
    async advance(ms) {
      clock.advance(ms);
      await turns();
    },
    hasEnded: () => wire.destroyed,
    isTold: () => told,
  };
}

describe('a connection that is told to end', () => {
  it('tells its sender, which has half a second to close too, and ends when nothing comes', async () => {
    const { connection, advance, hasEnded, isTold } = stage();
    connection.stop(GRACE_MS);
    await advance(NOTICE_MS - 1);
    assert.deepEqual([isTold(), hasEnded()], [true, false]);
    await advance(1);
    assert.equal(hasEnded(), true);
    await connection.done;
  });

  it('goes on while much comes between two looks, although nothing is there at the moment of a look', async () => {
    const { connection, come, advance, hasEnded } = stage();
    connection.stop(GRACE_MS);
    await come(MUCH);
    await advance(NOTICE_MS);
    for (let looks = 0; looks < 5; looks += 1) {
      assert.equal(hasEnded(), false, `after ${looks} looks`);
      await come(MUCH);
      await advance(LOOK_MS);
    }
    await come(LITTLE);
    await advance(LOOK_MS);
    assert.equal(hasEnded(), true, 'the sender goes on at its own pace');
  });

  it('goes on while something comes at the very moment of a look', async () => {
    const { clock, connection, come, advance, hasEnded } = stage();
    connection.stop(GRACE_MS);
    clock.advance(NOTICE_MS);
    await come(LITTLE);
    assert.equal(hasEnded(), false);
    clock.advance(LOOK_MS);
    await come(LITTLE);
    assert.equal(hasEnded(), false);
    await advance(LOOK_MS);
    assert.equal(hasEnded(), true);
  });

  it('ends after its grace, whatever still comes', async () => {
    const { connection, come, advance, hasEnded } = stage();
    connection.stop(GRACE_MS);
    await advance(0);
    for (let passed = 0; passed < GRACE_MS; passed += LOOK_MS) {
      assert.equal(hasEnded(), false, `after ${passed} ms`);
      await come(MUCH);
      await advance(LOOK_MS);
    }
    assert.equal(hasEnded(), true);
  });
});
