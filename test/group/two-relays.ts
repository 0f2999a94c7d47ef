/** Two relays of one group on this machine: processes, data folders, Redis and addresses of their own, and one workspace that both deliver to. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from '../../src/control/client.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import type { GroupStatus } from '../../src/group/status.ts';
import type { Agent } from '../../src/management-group/agent.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type RelayProcess, relayProcess, type Sections } from '../support/relay-process.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, startUpstream, type Upstream } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Two relays start at once, perhaps on a busy machine. */
const START_DEADLINE_MS = 90_000;

/** A relay with the address by which agents and the other know it. */
export interface GroupRelay extends RelayProcess {
  readonly name: string;
  readonly address: string;
  /** Runs `relay <words>` on it. */
  command(...words: readonly string[]): Promise<string>;
  group(): Promise<GroupStatus>;
  agents(): Promise<readonly Agent[]>;
}

export interface TwoRelays extends AsyncDisposable {
  readonly folder: string;
  readonly upstream: Upstream;
  /** The primary. */
  readonly one: GroupRelay;
  /** The member. */
  readonly two: GroupRelay;
}

/** Starts both, and has the second join the first. */
export async function startTwoRelays(sections: Sections = {}): Promise<TwoRelays> {
  await using parts = new AsyncDisposableStack();
  const { path: folder } = parts.use(await temporaryFolder());
  const upstream = parts.use(await startUpstream(folder, BANK));
  const start = async (name: string, host: string): Promise<GroupRelay> => {
    const redis = await startRedisServer(join(folder, `redis-${name}`));
    parts.defer(() => redis.stop('SIGKILL'));
    const port = await freePort();
    const configuration = { cache: { redis: { socket: redis.socket } }, intake: { address: host, port }, workspaces: [upstream.option], ...sections };
    const process = parts.use(await relayProcess(join(folder, name), configuration));
    await process.start(START_DEADLINE_MS);
    const command = (...words: readonly string[]): Promise<string> => runWell([...words, '--config', process.configFile]);
    return {
      ...process,
      name,
      address: `https://${host}:${port}`,
      command,
      group: () => ask<GroupStatus>(process.socket, 'GET', '/group'),
      agents: () => ask<readonly Agent[]>(process.socket, 'GET', '/agents'),
      [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
    };
  };
  const [one, two] = await Promise.all([start('one', '127.0.0.1'), start('two', '127.0.0.2')]);
  await one.command('group', 'init', '--name', 'one', '--address', one.address);
  const token = join(folder, 'token');
  await writeFile(token, await one.command('group', 'token'), { mode: 0o600 });
  await two.command('group', 'join', token, '--name', 'two', '--address', two.address);
  await eventually('the member has the newest copy', async () => (await two.group()).members.find(({ isSelf }) => isSelf)?.copy === 'newest');
  const all = parts.move();
  return { folder, upstream, one, two, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
