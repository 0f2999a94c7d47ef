/** The tunnels that stand: bytes both ways with back-pressure, and an end for those that are idle, too old, or no longer allowed. */
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type Clock, every } from '../clock.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { JudgeClient } from './clients.ts';

const SLOWEST_SWEEP_MS = 10_000;
const FASTEST_SWEEP_MS = 50;
const DRAIN_STEP_MS = 250;

type EndReason = 'finished' | 'broken' | 'idle' | 'too-long' | 'client' | 'stopped';

export interface OpenTunnelsParts {
  readonly idleTimeoutMs: number;
  readonly maxLifeMs: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export interface NewTunnel {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Why the client may no longer use it. */
  readonly judgeClient: JudgeClient;
}

export interface OpenTunnels {
  /** Joins both sides until they end. */
  add(tunnel: NewTunnel): void;
  count(): number;
  /** Tells the counters of the bytes since the last time. */
  countBytes(): void;
  /** Ends those that are at rest, waits for the others for `deadlineMs`, ends them too. */
  stop(deadlineMs: number): Promise<void>;
}

interface Tunnel extends NewTunnel {
  readonly openedAt: number;
  /** When bytes were seen to have moved. */
  movedAt: number;
  /** Bytes that have been noticed. */
  up: number;
  down: number;
  endReason: EndReason | undefined;
}

export function createOpenTunnels({ idleTimeoutMs, maxLifeMs, clock, metrics }: OpenTunnelsParts): OpenTunnels {
  const open = new Set<Tunnel>();

  /** True when bytes have moved since the last look. */
  const look = (tunnel: Tunnel): boolean => {
    const { bytesWritten: up, bytesRead: down } = tunnel.upstream;
    const moved = up !== tunnel.up || down !== tunnel.down;
    if (up > tunnel.up) metrics.count('tunnelBytes', { direction: 'up' }, up - tunnel.up);
    if (down > tunnel.down) metrics.count('tunnelBytes', { direction: 'down' }, down - tunnel.down);
    Object.assign(tunnel, { up, down });
    if (moved) tunnel.movedAt = clock.now();
    return moved;
  };

  const end = (tunnel: Tunnel, reason: EndReason): void => {
    tunnel.endReason ??= reason;
    tunnel.client.destroy();
    tunnel.upstream.destroy();
  };

  const sweep = (): void => {
    for (const tunnel of open) {
      look(tunnel);
      const now = clock.now();
      if (tunnel.judgeClient()) end(tunnel, 'client');
      else if (now - tunnel.openedAt >= maxLifeMs) end(tunnel, 'too-long');
      else if (now - tunnel.movedAt >= idleTimeoutMs) end(tunnel, 'idle');
    }
  };
  const sweepEveryMs = Math.min(Math.max(Math.min(idleTimeoutMs, maxLifeMs) / 8, FASTEST_SWEEP_MS), SLOWEST_SWEEP_MS);
  const endSweeping = every(clock, sweepEveryMs, sweep);

  return {
    add(given) {
      const now = clock.now();
      const { bytesWritten: up, bytesRead: down } = given.upstream;
      const tunnel: Tunnel = { ...given, openedAt: now, movedAt: now, up, down, endReason: undefined };
      open.add(tunnel);
      metrics.set('tunnelsOpen', {}, open.size);
      void join(tunnel).then((reason) => {
        look(tunnel);
        end(tunnel, reason);
        open.delete(tunnel);
        metrics.set('tunnelsOpen', {}, open.size);
        metrics.count('tunnelsClosed', { reason: tunnel.endReason ?? reason });
      });
    },
    count: () => open.size,
    countBytes() {
      for (const tunnel of open) look(tunnel);
    },
    async stop(deadlineMs) {
      endSweeping();
      for (let leftMs = deadlineMs; open.size > 0 && leftMs > 0; leftMs -= DRAIN_STEP_MS) {
        for (const tunnel of open) look(tunnel);
        await new Promise<void>((resolve) => clock.after(Math.min(DRAIN_STEP_MS, leftMs), resolve));
        for (const tunnel of open) if (!look(tunnel)) end(tunnel, 'stopped');
      }
      for (const tunnel of open) end(tunnel, 'stopped');
    },
  };
}

// Either side may finish first: the other one goes on until it has finished too. An error on either side ends both.
async function join({ client, upstream }: NewTunnel): Promise<'finished' | 'broken'> {
  try {
    await Promise.all([pipeline(client, upstream), pipeline(upstream, client)]);
    return 'finished';
  } catch {
    return 'broken';
  }
}
