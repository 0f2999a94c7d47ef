import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';

const SETTINGS = fileURLToPath(new URL('../../appliance/redis.conf', import.meta.url));
const START_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

/** A redis-server of our own, with the appliance's settings, on a Unix socket in its folder. For the demo and the tests. */
export interface RedisServer {
  readonly socket: string;
  readonly pid: number;
  /** Ends it and waits until it is gone; SIGTERM unless told. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts redis-server in `folder` and waits until it answers. `extra` are further settings, as on its command line. Throws `relay.redis.missing` when it is not installed. */
export async function startRedisServer(folder: string, extra: readonly string[] = []): Promise<RedisServer> {
  await makePrivateFolder(folder);
  const socket = join(folder, 'redis.sock');
  const child = spawn('redis-server', [SETTINGS, '--dir', folder, '--unixsocket', socket, ...extra], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const ended = once(child, 'exit');
  const failed = once(child, 'error').then(([cause]) => {
    throw new RelayError('relay.redis.missing', 'redis-server cannot be started. Install it: apt-get install redis-server', { cause });
  });
  ended.catch(() => {});
  await Promise.race([failed, untilAnswering(socket, child, output)]);
  failed.catch(() => {});
  return {
    socket,
    pid: child.pid ?? 0,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await ended;
    },
  };
}

async function untilAnswering(socket: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(socket))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new RelayError('relay.redis.unreachable', `redis-server did not start: ${output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// It accepts connections while it still loads its data; only a PONG counts.
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    const end = (answered: boolean): void => {
      client.destroy();
      resolve(answered);
    };
    client.once('error', () => end(false));
    client.once('data', (reply) => end(reply.toString().startsWith('+PONG')));
    client.write('PING\r\n');
  });
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-2_000);
    });
  }
  return () => text.trim();
}
