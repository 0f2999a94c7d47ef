import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { systemPrograms } from '../../src/host/run-program.ts';
import { openServiceManager } from '../../src/host/service-manager.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { startCommand } from '../support/run-relay.ts';
import { startSite } from '../support/site.ts';

const SOCKET = { NOTIFY_SOCKET: '/run/systemd/notify' };
const DONE = { code: 0, out: '', err: '' };

function listen(): { readonly said: string[]; readonly programs: typeof systemPrograms } {
  const said: string[] = [];
  const run = async (program: string, args: readonly string[]): Promise<typeof DONE> => {
    said.push([program, ...args].join(' '));
    return DONE;
  };
  return { said, programs: { run } };
}

// What is planned after each call is planned once that has settled.
async function pass(clock: ManualClock, ms: number, times: number): Promise<void> {
  for (let done = 0; done < times; done += 1) {
    clock.advance(ms);
    await setImmediate();
  }
}

describe('openServiceManager', () => {
  it('says nothing where nobody listens', async () => {
    const { said, programs } = listen();
    const manager = openServiceManager({ WATCHDOG_USEC: '30000000' }, { programs, clock: createManualClock(0) });
    await manager.ready(() => 'x');
    await manager.stopping();
    assert.deepEqual(said, []);
  });

  it('asks for more time as long as the start takes, and no longer', async () => {
    const { said, programs } = listen();
    const clock = createManualClock(0);
    const manager = openServiceManager(SOCKET, { programs, clock });
    await pass(clock, 30_000, 2);
    assert.deepEqual(said, ['systemd-notify EXTEND_TIMEOUT_USEC=90000000', 'systemd-notify EXTEND_TIMEOUT_USEC=90000000']);
    await manager.ready(() => 'takes batches');
    await pass(clock, 30_000, 20);
    assert.deepEqual(said.slice(2), ['systemd-notify --ready --status=takes batches']);
  });

  it('says that it still runs three times within the watchdog’s time, with what is true then, until it stops', async () => {
    const { said, programs } = listen();
    const clock = createManualClock(0);
    const manager = openServiceManager({ ...SOCKET, WATCHDOG_USEC: '30000000' }, { programs, clock });
    let agents = 1;
    await manager.ready(() => `${agents} agents`);
    agents = 2;
    await pass(clock, 10_000, 3);
    assert.deepEqual(said.slice(1), Array(3).fill('systemd-notify WATCHDOG=1 --status=2 agents'));
    await manager.stopping();
    await pass(clock, 10_000, 60);
    assert.equal(said.length, 5);
    assert.match(said[4] ?? '', /^systemd-notify STOPPING=1/);
  });
});

it('a relay that starts and stops tells so to the real systemd-notify’s socket', async () => {
  await using site = await startSite();
  await site.relay.end('SIGTERM');
  const socket = join(site.folder, 'notify');
  // Node has no datagrams on Unix sockets, Perl has.
  const script =
    'use IO::Socket::UNIX; $|=1; $s=IO::Socket::UNIX->new(Type=>SOCK_DGRAM,Local=>$ARGV[0]) or die; print "open\\n"; while(1){$s->recv($m,8192); print "$m\\n"}';
  const listener = spawn('perl', ['-MSocket', '-e', script, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  listener.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  try {
    await eventually('somebody listens', () => heard.includes('open'));
    const launcher = ['env', `NOTIFY_SOCKET=${socket}`, 'WATCHDOG_USEC=1500000'];
    const relay = startCommand(['start', '--config', site.relay.configFile], launcher);
    await eventually('it is ready', () => heard.includes('READY=1'), 20_000);
    assert.match(heard, /STATUS=takes batches; 0 agents, 0 groups wait/);
    await eventually('it still runs', () => heard.includes('WATCHDOG=1'));
    assert.equal((await relay.end('SIGTERM')).code, 0);
    await eventually('it stops', () => heard.includes('STOPPING=1'));
  } finally {
    listener.kill('SIGKILL');
    await once(listener, 'close');
  }
});
