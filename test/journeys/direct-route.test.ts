import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Agent, createAgent } from '../../src/agent/agent.ts';
import { readEnrolment } from '../../src/agent/agent-folder.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { systemClock } from '../../src/clock.ts';
import { type Line, openLine } from '../../src/demo/line.ts';
import { silentLogger } from '../../src/logger.ts';
import { post, syslog } from '../local-workspace/rig.ts';
import { eventually } from '../support/eventually.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

const HEARTBEAT = 'HEALTH_ASSESSMENT_BLOB';
const PERF = 'LINUX_PERF_BLOB';
const SOLUTION = 'Performance counters';

interface Journey extends AsyncDisposable {
  readonly site: Site;
  /** From the relay to the workspace. */
  readonly line: Line;
  readonly agent: Agent;
  relay(...words: string[]): Promise<string>;
}

/** A relay with a tunnel, a workspace that takes performance data straight, through it or not, and one agent that looks often. */
async function begin({ proxy }: { readonly proxy: 'tunnel' | 'none' }): Promise<Journey> {
  await using parts = new AsyncDisposableStack();
  let line: Line | undefined;
  const site = parts.use(
    await startSite({
      // A window that does not end: while data is held, agents with a queue of their own are asked to wait.
      sections: { tunnel: { enabled: true, address: '127.0.0.1', port: 0, clients: 'agents' }, retry: { every: '500ms', window: '1h' } },
      endpointOf: async ({ listening }) => {
        line = await openLine(listening.port);
        return `https://localhost:${line.port}`;
      },
      directTo: ({ listening }) => ({ credential: 'certificate', endpoint: listening.url, proxy }),
    }),
  );
  assert.ok(line);
  parts.defer(line.close);
  const folder = join(site.folder, 'agent');
  const key = await site.relay.createKey(BANK, 'direct');
  const root = await readFile(site.relay.rootFile, 'utf8');
  const relay = `https://localhost:${site.relay.port()}`;
  await enrolAgent({ folder, relay, workspaceId: BANK, key, trust: { root }, hostName: 'web01', clock: systemClock });
  const collect = { heartbeatMs: 100, performanceMs: 100, systemLogMs: 0 };
  const agent = createAgent({ folder, clock: systemClock, log: silentLogger, collect, rememberAcknowledged: true });
  await agent.start();
  parts.defer(agent.stop);
  const { configFile } = site.relay;
  const run = (...words: string[]): Promise<string> => runWell([...words, '--config', configFile]);
  const all = parts.move();
  return { site, line, agent, relay: run, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const straight = ({ site }: Journey): number =>
  site
    .upstream()
    .local.count(BANK)
    .reduce((sum, { direct }) => sum + direct, 0);
const sent = ({ agent }: Journey, route: 'relay' | 'direct', dataType: string): number => agent.stats().acknowledgedBy[route][dataType] ?? 0;

/** Lets so many more go by. */
async function more(what: string, count: () => number): Promise<void> {
  const before = count();
  await eventually(what, () => count() >= before + 3);
}

test("performance data goes straight through the tunnel, whatever becomes of the relay's own line, and by the relay when the operator says so", async () => {
  await using journey = await begin({ proxy: 'tunnel' });
  const { site, line, agent } = journey;
  await more('performance data straight', () => straight(journey));
  await more('heartbeats by the relay', () => sent(journey, 'relay', HEARTBEAT));
  assert.ok(((await site.relay.status()).tunnel?.open ?? 0) > 0, 'through the tunnel');

  await line.cut();
  await more('straight while the line is cut', () => straight(journey));
  await more('heartbeats into the cache', () => sent(journey, 'relay', HEARTBEAT));

  await journey.relay('solutions', 'route', SOLUTION, 'relay');
  await more('performance data by the relay', () => sent(journey, 'relay', PERF));
  const atSwitch = straight(journey);
  await line.mend();
  await journey.relay('solutions', 'route', SOLUTION, 'direct');
  await eventually('straight again', () => straight(journey) > atSwitch);

  await journey.relay('solutions', 'disable', SOLUTION);
  await more('heartbeats alone', () => sent(journey, 'relay', HEARTBEAT));
  await eventually('nothing waits', () => Object.values(agent.stats().queued).every((count) => count <= 1));
  await agent.stop();
  const arrived = (): ReadonlySet<string> => new Set(site.upstream().local.batchIds(BANK));
  await eventually('all that was acknowledged', () => [...agent.stats().acknowledgedIds].every((id) => arrived().has(id)));
  // What was on the line when it was cut comes twice; nothing comes by both ways.
  assert.equal(
    site
      .upstream()
      .local.count(BANK)
      .find(({ dataType }) => dataType === PERF)?.repeated,
    0,
  );
});

test('a suspended agent sends nothing straight any more, not even when the relay was killed before it could say so', async () => {
  await using journey = await begin({ proxy: 'none' });
  const { site, line, agent } = journey;
  const { listening } = site.upstream();
  await more('performance data straight', () => straight(journey));
  await agent.stop();
  const { identity } = await readEnrolment(join(site.folder, 'agent'));
  const answer = async (): Promise<number> => (await post(listening, identity, syslog(['by hand']))).status;

  assert.equal(await answer(), 200);
  await journey.relay('agents', 'suspend', 'web01');
  await eventually('the direct way is shut', async () => (await answer()) === 403);
  await journey.relay('agents', 'approve', 'web01');
  await eventually('the direct way is open', async () => (await answer()) === 200);

  await line.cut();
  await journey.relay('agents', 'suspend', 'web01');
  assert.equal(await answer(), 200, 'the workspace cannot know yet');
  await site.relay.end('SIGKILL');
  await line.mend();
  await site.relay.start();
  await eventually('the direct way is shut', async () => (await answer()) === 403);
});
