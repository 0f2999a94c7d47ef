import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { readEnrolment } from '../../src/agent/agent-folder.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { type Instructions, openInstructions, PERFORMANCE, SYSTEM_LOG } from '../../src/agent/instructions.ts';
import { type AgentQueue, openQueue } from '../../src/agent/queue.ts';
import { createQueueCounts, type QueueCounts } from '../../src/agent/queue-counts.ts';
import { createRelayLink } from '../../src/agent/relay-link.ts';
import { createSenders } from '../../src/agent/senders.ts';
import { DIRECT_TOKEN_PATH, type DirectWay, type Route } from '../../src/check-in/agent-configuration.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { writeAuthorityStatement } from '../../src/oms-protocol/authority-statement.ts';
import { AUTHORITIES_PATH } from '../../src/oms-protocol/paths.ts';
import type { AgentId } from '../../src/workspace/workspace-id.ts';
import { declarationOf, RULE, tokenOf } from '../local-workspace/intake/ingestion/cloud.ts';
import { BANK, onboardedAgent, post, type Rig, startRig } from '../local-workspace/rig.ts';
import { startConnectProxy } from '../support/connect-proxy.ts';
import { createRoot } from '../support/management-group-root.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { type FakeRelay, KEY, startFakeRelay } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

const PERF = 'LINUX_PERF_BLOB';
const EVENT = 'LINUX_SYSLOGS_BLOB';

interface Stage {
  readonly relay: FakeRelay;
  readonly workspace: Rig;
  readonly instructions: Instructions;
  readonly queue: AgentQueue;
  readonly counts: QueueCounts;
  readonly clock: ManualClock;
  readonly way: DirectWay;
  /** Sends performance data by this route from now on, and all else by the relay. */
  route(performance: Route, direct?: DirectWay): Promise<void>;
  letIn(agents: readonly AgentId[]): Promise<void>;
  readonly agentId: AgentId;
}

/** An agent's queue and senders between a relay and a workspace that knows the relay's authority, on a clock turned by hand. */
async function setStage(t: TestContext): Promise<Stage> {
  const folder = await makeTestFolder();
  const relay = await startFakeRelay();
  const workspace = await startRig(t);
  const enrolling = { folder: folder.path, relay: relay.address, workspaceId: BANK, key: KEY, trust: { root: relay.root }, clock: systemClock };
  await enrolAgent(enrolling);
  const { settings, root } = await readEnrolment(folder.path);
  const { agentId } = settings;
  const authority = await createRoot();
  const identity = await authority.issue(BANK, agentId);
  relay.answer = () => ({ status: 200 });

  const registered = await onboardedAgent(workspace.listening, BANK);
  const letIn = async (agents: readonly AgentId[]): Promise<void> => {
    const body = writeAuthorityStatement({ roots: [authority.pem], agents });
    assert.equal((await post(workspace.listening, registered.identity, { path: AUTHORITIES_PATH, body })).status, 200);
  };
  await letIn([agentId]);

  const clock = createManualClock();
  const counts = createQueueCounts(true);
  const instructions = await openInstructions(folder.path, silentLogger);
  const queue = await openQueue({ folder: `${folder.path}/queue`, limitBytes: 1024 * 1024, counts, clock, random: randomFillSync, log: silentLogger });
  const link = createRelayLink({ relays: [settings.relay], root, identity, chance: () => 0, clock, log: silentLogger });
  const senders = createSenders({ queue, instructions, link, clock, random: randomFillSync, log: silentLogger });
  instructions.onChange(queue.wake);
  senders.start();
  t.after(async () => {
    await Promise.all([senders.stop(0), link.close()]);
    await relay[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const way: DirectWay = { endpoint: `https://127.0.0.1:${workspace.listening.port}`, trust: [workspace.listening.rootPem], credential: 'certificate' };
  let version = 0;
  const route = async (performance: Route, direct?: DirectWay): Promise<void> => {
    version += 1;
    const solutions = [
      { name: PERFORMANCE, isEnabled: true, everyMs: 1_000, route: performance },
      { name: SYSTEM_LOG, isEnabled: true, everyMs: 1_000, route: 'relay' as const },
    ];
    await instructions.follow({ version: String(version), solutions, roots: [root], ...(direct ? { direct } : {}) });
  };
  return { relay, workspace, instructions, queue, counts, clock, way, route, letIn, agentId };
}

async function put({ queue }: Stage, ...dataTypes: string[]): Promise<void> {
  for (const dataType of dataTypes) await queue.put({ dataType, solution: 'LogManagement', records: [{ text: dataType }] });
}

const waiting = ({ counts }: Stage, dataType: string): number => counts.figures().queued[dataType] ?? 0;
const atWorkspace = ({ workspace }: Stage): readonly string[] => workspace.local.batchIds(BANK);
const atRelay = ({ relay }: Stage): string[] => relay.uploads().map(({ headers }) => String(headers['x-relay-batch-id']));

/** Lets time pass, so that a sender that waits tries again. */
async function untilWithTime(stage: Stage, what: string, condition: () => boolean): Promise<void> {
  await eventually(what, () => {
    stage.clock.advance(1_000);
    return condition();
  });
}

describe('the direct route', () => {
  it('goes with a token of the relay to the stream of the data type, where the workspace wants tokens', async (t) => {
    const stage = await setStage(t);
    const columns = [{ name: 'text', type: 'string' as const }];
    stage.workspace.local.declare(declarationOf({ streams: { 'Custom-Perf_CL': { table: 'Perf_CL', columns } } }));
    const token = await tokenOf(stage.workspace);
    const handOut = { status: 200, body: JSON.stringify({ token, expiresAt: stage.clock.now() + 3_600_000 }) };
    stage.relay.answer = ({ path }) => (path === DIRECT_TOKEN_PATH ? handOut : { status: 200 });
    await stage.route('direct', { ...stage.way, credential: 'token', rule: { id: RULE, streams: { [PERF]: 'Custom-Perf_CL' } } });
    await put(stage, PERF, EVENT, PERF);
    await eventually('all sent', () => stage.counts.acknowledgedIds().size === 3);
    assert.deepEqual(stage.counts.acknowledgedBy(), { relay: { [EVENT]: 1 }, direct: { [PERF]: 2 } });
    assert.deepEqual(
      (await stage.workspace.local.rows(BANK, 'Perf_CL')).map((row) => JSON.stringify(row).includes(PERF)),
      [true, true],
    );
  });

  it("takes what is marked direct straight to the workspace with the agent's certificate, and the rest to the relay", async (t) => {
    const stage = await setStage(t);
    await stage.route('direct', stage.way);
    await put(stage, PERF, EVENT, PERF);
    await eventually('all sent', () => stage.counts.acknowledgedIds().size === 3);
    assert.deepEqual(stage.counts.acknowledgedBy(), { relay: { [EVENT]: 1 }, direct: { [PERF]: 2 } });
    assert.equal(atRelay(stage).length, 1);
    const records = await stage.workspace.local.query(BANK, { limit: 10 });
    assert.deepEqual(
      records.map(({ agentId, dataType, way }) => [agentId, dataType, way]),
      [
        [stage.agentId, PERF, 'direct'],
        [stage.agentId, PERF, 'direct'],
      ],
    );
  });

  it('goes through the proxy it is told, which sees host and port alone; one that refuses makes the data wait', async (t) => {
    const stage = await setStage(t);
    await using proxy = await startConnectProxy();
    proxy.refuses = true;
    await stage.route('direct', { ...stage.way, proxy: proxy.address });
    await put(stage, PERF);
    await eventually('a refusal', () => stage.clock.waits().length === 1);
    assert.equal(waiting(stage, PERF), 1);
    proxy.refuses = false;
    await untilWithTime(stage, 'sent', () => stage.counts.acknowledgedIds().size === 1);
    assert.deepEqual([...new Set(proxy.asked)], [`127.0.0.1:${stage.workspace.listening.port}`]);
    assert.equal(stage.workspace.local.count(BANK)[0]?.direct, 1);
  });

  it("waits while the workspace is away and does not hold up the relay's; then nothing is missing", async (t) => {
    const stage = await setStage(t);
    await stage.workspace.local.setFault({ mode: 'down' });
    await stage.route('direct', stage.way);
    await put(stage, PERF, PERF, EVENT, EVENT);
    await eventually('the relay has its own', () => waiting(stage, EVENT) === 0);
    assert.equal(waiting(stage, PERF), 2);
    await stage.workspace.local.setFault({ mode: 'none' });
    await untilWithTime(stage, 'sent', () => waiting(stage, PERF) === 0);
    assert.equal(stage.workspace.local.count(BANK)[0]?.direct, 2);
  });

  it('does not hold up what goes straight while the relay is away', async (t) => {
    const stage = await setStage(t);
    stage.relay.answer = () => ({ status: 503, headers: { 'retry-after': '720' } });
    await stage.route('direct', stage.way);
    await put(stage, EVENT, PERF, EVENT, PERF);
    await eventually('the workspace has its own', () => waiting(stage, PERF) === 0);
    assert.equal(waiting(stage, EVENT), 2);
  });

  it('set back to the relay sends there what waits, each batch by one way', async (t) => {
    const stage = await setStage(t);
    await stage.route('direct', stage.way);
    await put(stage, PERF, PERF);
    await eventually('two straight', () => atWorkspace(stage).length === 2);
    await stage.workspace.local.setFault({ mode: 'down' });
    await put(stage, PERF, PERF, PERF);
    await eventually('a failure', () => stage.clock.waits().length === 1);
    await stage.route('relay');
    await eventually('all sent', () => waiting(stage, PERF) === 0);
    await stage.workspace.local.setFault({ mode: 'none' });
    assert.deepEqual(stage.counts.acknowledgedBy(), { relay: { [PERF]: 3 }, direct: { [PERF]: 2 } });
    assert.deepEqual(new Set([...atWorkspace(stage), ...atRelay(stage)]), stage.counts.acknowledgedIds());
    assert.equal(atWorkspace(stage).length + atRelay(stage).length, 5);
  });

  it('without a way leaves what is marked direct in the queue until there is one', async (t) => {
    const stage = await setStage(t);
    await stage.route('direct');
    await put(stage, PERF, EVENT);
    await eventually('the relay has its own', () => waiting(stage, EVENT) === 0);
    assert.equal(waiting(stage, PERF), 1);
    await stage.route('direct', stage.way);
    await eventually('sent', () => waiting(stage, PERF) === 0);
    assert.equal(atWorkspace(stage).length, 1);
  });

  it('ends for a suspended agent as soon as the workspace knows, and nothing is lost when it is let in again', async (t) => {
    const stage = await setStage(t);
    await stage.route('direct', stage.way);
    await put(stage, PERF);
    await eventually('sent', () => waiting(stage, PERF) === 0);
    await stage.letIn([]);
    await put(stage, PERF);
    await eventually('a refusal', () => stage.clock.waits().length === 1);
    assert.equal(waiting(stage, PERF), 1);
    await stage.letIn([stage.agentId]);
    await untilWithTime(stage, 'sent', () => waiting(stage, PERF) === 0);
    assert.equal(atWorkspace(stage).length, 2);
  });
});
