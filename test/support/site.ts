/** Everything of a site on one machine: redis-server, the relay as a process, and local workspaces upstream that tests make fail. */
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { type RedisServer, startRedisServer } from '../../src/demo/redis-server.ts';
import { createLocalWorkspace, type Listening, type LocalWorkspace } from '../../src/local-workspace/local-workspace.ts';
import { silentLogger } from '../../src/logger.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { enrolMachine, type Machine, type Target } from './fleet.ts';
import { type RelayProcess, relayProcess, type Sections } from './relay-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
export const PLANT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');

/** A name of every workspace's service that no resolver knows. */
export const UPSTREAM_NAME = 'upstream.test';

/** A workspace's own service, with an address of its own. */
export interface Upstream extends AsyncDisposable {
  readonly workspaceId: WorkspaceId;
  readonly local: LocalWorkspace;
  readonly dataFolder: string;
  readonly listening: Listening;
  /** How a relay's configuration names it. */
  readonly option: Sections;
}

export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly relay: RelayProcess;
  readonly upstreams: ReadonlyMap<WorkspaceId, Upstream>;
  upstream(workspaceId?: WorkspaceId): Upstream;
  target(): Promise<Target>;
  /** Machines that are enrolled and approved. */
  machines(count: number, workspaceId?: WorkspaceId): Promise<readonly Machine[]>;
  killRedis(): Promise<void>;
  /** Redis stays there, and does nothing until `SIGCONT`. */
  signalRedis(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Sends Redis one command, its words apart by spaces, and waits for the answer. */
  tellRedis(command: string): Promise<string>;
  /** Starts Redis again: with what it had, or with nothing. */
  startRedis(how: 'as it was' | 'empty'): Promise<void>;
  readonly redisFolder: string;
  readonly redisSocket: string;
}

export interface SiteOptions {
  /** One local workspace is started for each. */
  readonly workspaces?: readonly WorkspaceId[];
  /** Sections of the relay's configuration. */
  readonly sections?: Sections;
  /** Options of its cache. */
  readonly cache?: Sections;
  /** Put before the relay's command, such as strace. Gets the folder of the whole site. */
  readonly launcher?: (folder: string) => readonly string[];
  /** Where the relay thinks that a workspace is; there itself unless given. */
  readonly endpointOf?: (upstream: Upstream) => Promise<string>;
  /** How agents reach a workspace without the relay; not at all unless given. */
  readonly directTo?: (upstream: Upstream) => Sections;
  /** The further workspaces that get a copy of a workspace's data; none unless given. */
  readonly copyTo?: (workspaceId: WorkspaceId) => readonly WorkspaceId[];
  /** The path of every workspace's data; the public one unless given. */
  readonly path?: Sections;
  /** Called before the relay starts for the first time, with the folder where it will be. */
  readonly prepare?: (relayFolder: string) => Promise<void>;
}

/** Starts a local workspace with a service of its own. */
export async function startUpstream(folder: string, workspaceId: WorkspaceId): Promise<Upstream> {
  const key = Buffer.alloc(64, workspaceId.charCodeAt(0)).toString('base64');
  const dataFolder = join(folder, `upstream-${workspaceId.slice(0, 4)}`);
  const names = ['localhost', '127.0.0.1', UPSTREAM_NAME];
  const local = createLocalWorkspace(
    { dataFolder, address: '127.0.0.1', port: 0, names, workspaces: [{ id: workspaceId, key }] },
    { clock: systemClock, log: silentLogger },
  );
  const listening = await local.start();
  const sharedKeyFile = join(dataFolder, 'shared.key');
  await writeFile(sharedKeyFile, key, { mode: 0o600 });
  return {
    workspaceId,
    local,
    dataFolder,
    listening,
    option: { id: workspaceId, endpoint: listening.url, sharedKeyFile, trustFile: listening.rootPath },
    [Symbol.asyncDispose]: () => local.stop(),
  };
}

/** Starts all of it; `await using` ends all of it. */
export async function startSite({
  workspaces = [BANK],
  sections = {},
  cache = {},
  launcher = () => [],
  endpointOf,
  directTo,
  copyTo,
  path,
  prepare,
}: SiteOptions = {}): Promise<Site> {
  await using parts = new AsyncDisposableStack();
  const { path: folder } = parts.use(await temporaryFolder());
  const upstreams = new Map<WorkspaceId, Upstream>();
  for (const id of workspaces) upstreams.set(id, parts.use(await startUpstream(folder, id)));
  const redisFolder = join(folder, 'redis');
  let redis: RedisServer = await startRedisServer(redisFolder);
  parts.defer(() => redis.stop('SIGKILL'));
  const options = [...upstreams.values()].map(async (one) => ({
    ...one.option,
    ...(endpointOf ? { endpoint: await endpointOf(one) } : {}),
    ...(directTo ? { direct: directTo(one) } : {}),
    ...(copyTo ? { copyTo: copyTo(one.workspaceId) } : {}),
    ...(path ? { path } : {}),
  }));
  const configuration = { cache: { ...cache, redis: { socket: redis.socket } }, workspaces: await Promise.all(options), ...sections };
  const relay = parts.use(await relayProcess(join(folder, 'relay'), configuration, launcher(folder)));
  await prepare?.(join(folder, 'relay'));
  await relay.start();
  const all = parts.move();

  const keys = new Map<WorkspaceId, string>();
  const target = async (): Promise<Target> => ({ port: relay.port(), rootPem: await readFile(relay.rootFile, 'utf8') });
  return {
    folder,
    relay,
    upstreams,
    upstream(workspaceId = workspaces[0] ?? BANK) {
      const found = upstreams.get(workspaceId);
      if (!found) throw new Error(`the site has no workspace ${workspaceId}`);
      return found;
    },
    target,
    async machines(count, workspaceId = workspaces[0] ?? BANK) {
      const key = keys.get(workspaceId) ?? (await relay.createKey(workspaceId, `machines-${workspaceId.slice(0, 4)}`));
      keys.set(workspaceId, key);
      const where = await target();
      const machines = await Promise.all(Array.from({ length: count }, () => enrolMachine(where, workspaceId, key)));
      for (const machine of machines) all.defer(() => machine.close());
      return machines;
    },
    redisFolder,
    redisSocket: redis.socket,
    killRedis: () => redis.stop('SIGKILL'),
    signalRedis: (signal) => void process.kill(redis.pid, signal),
    tellRedis: (command) => tellRedis(redis.socket, command),
    async startRedis(how) {
      if (how === 'empty') await rm(redisFolder, { recursive: true, force: true });
      redis = await startRedisServer(redisFolder);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

// An inline command: what redis-cli would send, without redis-cli.
async function tellRedis(socket: string, command: string): Promise<string> {
  const connection = connect(socket);
  connection.write(`${command}\r\n`);
  const [reply] = (await once(connection, 'data')) as [Buffer];
  connection.destroy();
  return reply.toString().trim();
}
