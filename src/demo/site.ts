/**
 * A whole site in one folder: redis-server, local workspace, relay with its tunnel, and agents with this machine's own data. Everything is the
 * real thing; only the addresses are loopback. Performance data goes straight to the workspace, through the tunnel; all else through the relay.
 */
import { randomFillSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Agent, createAgent } from '../agent/agent.ts';
import { enrolAgent } from '../agent/enrol.ts';
import { systemClock } from '../clock.ts';
import { loadConfiguration } from '../configuration/load.ts';
import type { CreatedKey } from '../control/api.ts';
import { ask } from '../control/client.ts';
import { RelayError } from '../errors.ts';
import { ensureWorkspaceKey } from '../local-workspace/intake/workspace-key.ts';
import { createLocalWorkspace, type LocalWorkspace } from '../local-workspace/local-workspace.ts';
import type { Logger } from '../logger.ts';
import { createRelay, type Relay } from '../relay.ts';
import { parseWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import { type Line, openLine } from './line.ts';
import { startRedisServer } from './redis-server.ts';

export const DEMO_WORKSPACE: WorkspaceId = parseWorkspaceId('0de30000-0000-4000-8000-000000000001');
export const NEIGHBOUR_WORKSPACE: WorkspaceId = parseWorkspaceId('0de30000-0000-4000-8000-000000000002');
const STOP_DEADLINE_MS = 10_000;

export interface SiteOptions {
  readonly folder: string;
  readonly agents: readonly string[];
  /**
   * Agents of a second workspace, which the relay reaches without the line; none unless given. Beside them, all data of the first workspace goes
   * through the relay, and theirs goes straight where it may.
   */
  readonly neighbours?: readonly string[];
  /** In place of the eight minutes and the two hours, so that one can watch; milliseconds. */
  readonly retryEveryMs: number;
  readonly retryWindowMs: number;
  /** How often each agent collects, in milliseconds. */
  readonly collectEveryMs: number;
  readonly version: string;
  readonly log: Logger;
}

export interface Site {
  readonly workspace: LocalWorkspace;
  readonly workspaceUrl: string;
  /** From the relay to the workspace; the agents' own data does not go over it. */
  readonly line: Line;
  readonly relay: Relay;
  readonly agents: readonly Agent[];
  /** The relay's configuration file: every command works with it. */
  readonly configurationFile: string;
  /** The Unix socket of its Redis. */
  readonly redisSocket: string;
  /** Ends collecting; what the agents have queued is still there. */
  stopAgents(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the site. What was started is stopped again when a part cannot be. */
export async function startSite(options: SiteOptions): Promise<Site> {
  await using started = new AsyncDisposableStack();
  const { folder, log, version } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });

  const redis = await startRedisServer(join(folder, 'redis'));
  started.defer(() => redis.stop());

  const keyOf = (id: WorkspaceId) => ensureWorkspaceKey(join(folder, 'workspace'), id, (message) => log.warn(message));
  const { path: sharedKeyFile, key } = await keyOf(DEMO_WORKSPACE);
  const neighbour = options.neighbours ? await keyOf(NEIGHBOUR_WORKSPACE) : undefined;
  const workspaces = [{ id: DEMO_WORKSPACE, key }, ...(neighbour ? [{ id: NEIGHBOUR_WORKSPACE, key: neighbour.key }] : [])];
  const workspace = createLocalWorkspace(
    { dataFolder: join(folder, 'workspace'), address: '127.0.0.1', port: 0, names: ['localhost', '127.0.0.1'], workspaces },
    { clock: systemClock, log: log.child({ program: 'local-workspace' }) },
  );
  const { url: workspaceUrl, port: workspacePort, rootPath } = await workspace.start();
  started.defer(() => workspace.stop());
  const line = await openLine(workspacePort);
  started.defer(() => line.close());

  const configurationFile = join(folder, 'relay.yaml');
  await writeFile(
    configurationFile,
    stringify(
      configurationOf(options, {
        endpoint: `https://localhost:${line.port}`,
        directEndpoint: workspaceUrl,
        sharedKeyFile,
        trustFile: rootPath,
        redisSocket: redis.socket,
        neighbourKeyFile: neighbour?.path,
      }),
    ),
  );
  const configuration = await loadConfiguration({ file: configurationFile, env: {} });
  const relay = createRelay(configuration, {
    clock: systemClock,
    random: randomFillSync,
    log: log.child({ program: 'relay' }),
    version,
    credentialsFolder: undefined,
  });
  await relay.start();
  started.defer(() => relay.stop(STOP_DEADLINE_MS));

  const agents: Agent[] = [];
  const startAgents = async (names: readonly string[], workspaceId: WorkspaceId, keyName: string): Promise<void> => {
    const { secret } = await ask<CreatedKey>(configuration.control.socket, 'POST', '/enrolment-keys', { name: keyName, workspaceId });
    const { intakePort, rootFingerprint } = relay.status();
    for (const name of names) {
      const agent = await startAgent(name, options, { relay: `https://127.0.0.1:${intakePort}`, workspaceId, key: secret, fingerprint: rootFingerprint });
      started.defer(() => agent.stop());
      agents.push(agent);
    }
  };
  await startAgents(options.agents, DEMO_WORKSPACE, 'demo');
  if (options.neighbours) await startAgents(options.neighbours, NEIGHBOUR_WORKSPACE, 'neighbour');

  const parts = started.move();
  return {
    workspace,
    workspaceUrl,
    line,
    relay,
    agents,
    configurationFile,
    redisSocket: redis.socket,
    stopAgents: async () => void (await Promise.all(agents.map((agent) => agent.stop()))),
    stop: () => parts.disposeAsync(),
  };
}

interface Addresses {
  readonly endpoint: string;
  readonly directEndpoint: string;
  readonly sharedKeyFile: string;
  readonly trustFile: string;
  readonly redisSocket: string;
  readonly neighbourKeyFile: string | undefined;
}

function configurationOf(options: SiteOptions, addresses: Addresses): object {
  const { endpoint, directEndpoint, sharedKeyFile, trustFile, redisSocket, neighbourKeyFile } = addresses;
  const direct = { credential: 'certificate', endpoint: directEndpoint, proxy: 'tunnel' };
  return {
    data: join(options.folder, 'relay'),
    domain: 'relay.test',
    intake: { address: '127.0.0.1', port: 0 },
    metrics: { port: 0 },
    tunnel: { enabled: true, address: '127.0.0.1', port: 0 },
    solutions: [{ name: 'Syslog, custom logs', route: 'relay' }],
    managementGroup: { approve: [{ enrolmentKey: 'demo' }, { enrolmentKey: 'neighbour' }] },
    retry: { every: `${options.retryEveryMs}ms`, window: `${options.retryWindowMs}ms` },
    cache: { redis: { socket: redisSocket } },
    workspaces: [
      { id: DEMO_WORKSPACE, name: 'demo', endpoint, sharedKeyFile, trustFile, ...(neighbourKeyFile === undefined ? { direct } : {}) },
      ...(neighbourKeyFile === undefined
        ? []
        : [{ id: NEIGHBOUR_WORKSPACE, name: 'neighbour', endpoint: directEndpoint, sharedKeyFile: neighbourKeyFile, trustFile, direct }]),
    ],
  };
}

async function startAgent(
  name: string,
  options: SiteOptions,
  to: { relay: string; workspaceId: WorkspaceId; key: string; fingerprint: string },
): Promise<Agent> {
  const folder = join(options.folder, 'agents', name);
  const outcome = await enrolAgent({
    folder,
    relay: to.relay,
    workspaceId: to.workspaceId,
    key: to.key,
    trust: { fingerprint: to.fingerprint },
    hostName: name,
    clock: systemClock,
  });
  if (outcome.outcome === 'refused') throw new RelayError('relay.demo.not-enrolled', `The relay refused to enrol ${name}: ${outcome.message}`);
  const everyMs = options.collectEveryMs;
  const collect = { heartbeatMs: everyMs, performanceMs: everyMs, systemLogMs: everyMs };
  const agent = createAgent({ folder, clock: systemClock, log: options.log.child({ program: 'agent', name }), collect, rememberAcknowledged: true });
  await agent.start();
  return agent;
}
