import assert from 'node:assert/strict';
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Agent, type AgentOptions, createAgent } from '../../src/agent/agent.ts';
import { SYSTEM_LOG_DEFAULTS } from '../../src/agent/collectors/system-log.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { readAgentStatus } from '../../src/agent/status.ts';
import { CONFIGURATION_PATH } from '../../src/check-in/agent-configuration.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { writeRefusal } from '../../src/oms-protocol/refusal-body.ts';
import { type FakeRelay, KEY, readUpload, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

interface Stage extends AsyncDisposable {
  readonly relay: FakeRelay;
  readonly folder: string;
  readonly logFile: string;
  start(change?: Partial<AgentOptions>): Promise<Agent>;
}

/** An enrolled agent that looks often, and at a log file of its own. */
async function setStage(): Promise<Stage> {
  const folder = await makeTestFolder();
  const relay = await startFakeRelay();
  await enrolAgent({
    folder: folder.path,
    relay: relay.address,
    workspaceId: WORKSPACE,
    key: KEY,
    trust: { root: relay.root },
    hostName: 'web01',
    clock: systemClock,
  });
  const logFile = join(folder.path, 'syslog');
  await writeFile(logFile, 'Jan  2 03:04:05 web01 sshd[1]: first\n');
  const systemLog = { ...SYSTEM_LOG_DEFAULTS, source: 'files', files: [logFile] } as const;
  const agents: Agent[] = [];
  return {
    relay,
    folder: folder.path,
    logFile,
    async start(change = {}) {
      const collect = { heartbeatMs: 60_000, performanceMs: 0, systemLogMs: 10, systemLog };
      const agent = createAgent({ folder: folder.path, log: silentLogger, clock: systemClock, collect, rememberAcknowledged: true, ...change });
      agents.push(agent);
      await agent.start();
      return agent;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((agent) => agent.stop()));
      await relay[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function messagesAt(relay: FakeRelay): unknown[] {
  const syslogs = relay
    .uploads()
    .map(readUpload)
    .filter(({ DataType }) => DataType === 'LINUX_SYSLOGS_BLOB');
  return syslogs.flatMap(({ DataItems }) => DataItems.map((item) => item['Message']));
}

describe('the agent', () => {
  it('sends heartbeat, performance counters and system log lines, and counts what the relay acknowledged', async () => {
    await using stage = await setStage();
    const agent = await stage.start({ collect: { heartbeatMs: 60_000, performanceMs: 60_000, systemLogMs: 60_000 } });
    await eventually(
      'all kinds',
      () => new Set(stage.relay.uploads().map((upload) => readUpload(upload).DataType)).size >= 2 && agent.stats().queuedBytes === 0,
    );
    await eventually('performance', () => (agent.stats().acknowledged['LINUX_PERF_BLOB'] ?? 0) > 0);
    await agent.stop();
    const { collected, acknowledged, acknowledgedIds } = agent.stats();
    assert.deepEqual(acknowledged, collected);
    assert.deepEqual(
      [...acknowledgedIds].sort(),
      stage.relay
        .uploads()
        .map(({ headers }) => headers['x-relay-batch-id'])
        .sort(),
    );
    assert.equal(stage.relay.seen[1]?.path, '/AgentService.svc/LinuxAgentTopologyRequest');
  });

  it('keeps what it collected over a restart, without losing or repeating a line', async () => {
    await using stage = await setStage();
    const body = writeRefusal('AgentPending', 'Wait.');
    stage.relay.answer = ({ path }) => (path.startsWith('/OperationalData') ? { status: 403, body } : undefined);
    const first = await stage.start();
    await eventually('the first line', () => (first.stats().queued['LINUX_SYSLOGS_BLOB'] ?? 0) === 1);
    await first.stop();
    assert.equal(first.stats().acknowledgedIds.size, 0);
    const { waiting } = await readAgentStatus(stage.folder);
    assert.deepEqual(waiting.map(({ dataType, batches }) => [dataType, batches]).sort(), [
      ['HEALTH_ASSESSMENT_BLOB', 1],
      ['LINUX_SYSLOGS_BLOB', 1],
    ]);

    stage.relay.seen.length = 0;
    stage.relay.answer = () => undefined;
    const second = await stage.start();
    await appendFile(stage.logFile, 'Jan  2 03:04:06 web01 sshd[1]: second\n');
    await eventually('both lines', () => messagesAt(stage.relay).length === 2);
    await eventually('an empty queue', () => second.stats().queuedBytes === 0);
    assert.deepEqual(messagesAt(stage.relay), ['first', 'second']);
    await eventually('no files', async () => (await readdir(join(stage.folder, 'queue'))).length === 0);
  });

  it('does as the relay says: another pace, another limit, a solution off; a restart without the relay goes on so', async () => {
    await using stage = await setStage();
    const solutions = [
      { name: 'Agent Health', isEnabled: true, everyMs: 20, route: 'relay' },
      { name: 'Performance counters', isEnabled: true, everyMs: 60_000, route: 'direct' },
      { name: 'Syslog, custom logs', isEnabled: false, everyMs: 5_000, route: 'relay' },
    ];
    let configuration = JSON.stringify({ version: 'one', solutions, roots: [stage.relay.root] });
    stage.relay.answer = ({ path }) =>
      path === CONFIGURATION_PATH ? { status: 200, body: configuration } : path.startsWith(CONFIGURATION_PATH) ? 'never' : undefined;
    const agent = await stage.start({ collect: {} });
    const heartbeats = (): number => agent.stats().acknowledged['HEALTH_ASSESSMENT_BLOB'] ?? 0;
    await eventually('heartbeats at the new pace', () => heartbeats() >= 5);
    await agent.stop();
    const { waiting } = await readAgentStatus(stage.folder);
    assert.deepEqual(
      waiting.filter(({ dataType }) => dataType === 'LINUX_PERF_BLOB').map(({ route }) => route),
      (agent.stats().queued['LINUX_PERF_BLOB'] ?? 0) > 0 ? ['direct'] : [],
    );

    configuration = '';
    stage.relay.answer = ({ path }) => (path.startsWith(CONFIGURATION_PATH) ? { status: 500 } : undefined);
    await appendFile(stage.logFile, 'Jan  2 03:04:06 web01 sshd[1]: while it is switched off\n');
    const again = await stage.start({ collect: {} });
    await eventually('heartbeats at the pace it was told', () => (again.stats().acknowledged['HEALTH_ASSESSMENT_BLOB'] ?? 0) >= 5);
    await again.stop();
    assert.equal(again.stats().collected['LINUX_SYSLOGS_BLOB'], undefined);
  });

  it('stops at once while it waits as long as the relay asked', async () => {
    await using stage = await setStage();
    stage.relay.answer = () => ({ status: 503, headers: { 'retry-after': '900' } });
    const agent = await stage.start();
    await eventually('a refused upload', () => stage.relay.uploads().length > 0);
    await agent.stop();
    assert.ok(agent.stats().queuedBytes > 0);
  });

  it('does not start in a folder that is not enrolled, and says how to enrol', async () => {
    await using folder = await makeTestFolder();
    const agent = createAgent({ folder: folder.path, log: silentLogger, clock: systemClock });
    await assert.rejects(agent.start(), { code: 'relay.agent.not-enrolled', message: /relay agent enrol/ });
    await agent.stop();
  });
});
