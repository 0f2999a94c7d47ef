import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { makePrivateFolder, writeFileAtomic } from '../../src/files.ts';
import type { WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { enrolFleet, type FleetAgent } from './fleet.ts';
import { startRelayCommand } from './program.ts';
import type { Sink } from './sink.ts';
import type { ServerFiles, Target } from './target.ts';

export interface RelayTargetOptions {
  readonly folder: string;
  readonly workspaceId: WorkspaceId;
  readonly fleet: readonly FleetAgent[];
  readonly sink: Sink;
  /** Folder for a CPU profile of the relay; none when undefined. */
  readonly profileFolder: string | undefined;
  /** Options of its cache; the defaults unless given. */
  readonly cache?: Readonly<Record<string, unknown>>;
}

/** The relay and its Redis, as two processes, with the appliance's settings and the options' defaults. */
export async function startRelayTarget({
  folder,
  workspaceId,
  fleet,
  sink,
  profileFolder,
  cache = {},
}: RelayTargetOptions): Promise<Target & { readonly server: ServerFiles; readonly controlSocket: string }> {
  await using parts = new AsyncDisposableStack();
  await makePrivateFolder(folder);
  const dataFolder = join(folder, 'data');
  await enrolFleet(dataFolder, workspaceId, fleet);
  const redis = await startRedisServer(join(folder, 'redis'));
  parts.defer(() => redis.stop());
  const configurationFile = join(folder, 'relay.yaml');
  const configuration = {
    data: dataFolder,
    domain: 'relay.test',
    workspaces: [{ id: workspaceId, endpoint: `https://localhost:${sink.port}`, sharedKeyFile: sink.keyFile, trustFile: sink.rootFile }],
    intake: { address: '127.0.0.1', port: 0 },
    metrics: { port: 0 },
    cache: { ...cache, redis: { socket: redis.socket } },
  };
  // JSON is YAML.
  await writeFileAtomic(configurationFile, JSON.stringify(configuration));
  const nodeOptions = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const relay = await startRelayCommand<{ readonly intakePort: number }>(['start', '--config', configurationFile], 'intakePort', nodeOptions);
  parts.defer(() => relay.stop());
  const authority = join(dataFolder, 'authority');
  const running = parts.move();
  return {
    port: relay.line.intakePort,
    trust: await readFile(join(authority, 'root.pem'), 'utf8'),
    controlSocket: join(dataFolder, 'relay.sock'),
    pids: { relay: relay.pid, redis: redis.pid },
    server: { certificateFile: join(authority, 'server.pem'), keyFile: join(authority, 'server.key'), rootFile: join(authority, 'root.pem') },
    stop: () => running.disposeAsync(),
  };
}
