/** Everything at once for ten minutes: what the relay holds when all is well again must not grow. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.ts';
import { startFleet } from '../../support/fleet.ts';
import { createOracle } from '../../support/oracle.ts';
import { type Site, startSite } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import type { Fault, Figures, Trial } from '../fault.ts';
import { folderBytes, processSize } from '../process-size.ts';

const MIB = 1024 * 1024;

interface Sample {
  readonly memoryBytes: number;
  readonly openFiles: number;
  readonly diskBytes: number;
}

/** Every second with a chance of one in five something breaks; what the relay holds when all is well again must not grow. */
async function soak({ soakMs, random }: Trial): Promise<Figures> {
  await using site = await startSite({ sections: { upstream: { connectTimeout: '300ms', requestTimeout: '1s' } }, cache: { segmentSize: '1MiB' } });
  const { local } = site.upstream();
  const oracle = createOracle();
  const { pid } = await site.relay.status();
  const ends = performance.now() + soakMs;
  const samples: Sample[] = [];
  let injected = 0;
  await using fleet = startFleet({ machines: await site.machines(3), oracle });
  while (performance.now() < ends) {
    if (random() < 0.2) {
      await breakSomething(site, random);
      injected += 1;
      await eventually('all is well again', async () => (await site.relay.status()).cache.ready.ok);
    }
    await pause(1_000);
    if (local.fault().mode === 'none') samples.push({ ...(await processSize(pid)), diskBytes: folderBytes(site.relay.dataFolder) });
  }
  await fleet.stop();
  const figures = await closeBooks({ site, oracle, injected });
  isFlat(samples);
  return figures;
}

async function breakSomething(site: Site, random: () => number): Promise<void> {
  const { local } = site.upstream();
  const modes = ['down', 'refuse', 'black-hole', 'hang', 'reset', 'error', 'forbidden'] as const;
  const mode = modes[Math.floor(random() * (modes.length + 2))];
  if (mode) {
    await local.setFault({ mode });
    await pause(1_000);
    await local.setFault({ mode: 'none' });
  } else if (random() < 0.5) {
    site.signalRedis('SIGSTOP');
    await pause(1_000);
    site.signalRedis('SIGCONT');
  } else {
    await site.killRedis();
    await site.startRedis(random() < 0.5 ? 'empty' : 'as it was');
  }
}

function isFlat(samples: readonly Sample[]): void {
  const third = Math.floor(samples.length / 3);
  // In the first moments everything grows: heap, compiled code, connections.
  if (third < 30) return;
  const middle = (part: readonly Sample[], of: (sample: Sample) => number): number => part.map(of).sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  const [first, last] = [samples.slice(0, third), samples.slice(-third)];
  const grown = (of: (sample: Sample) => number): number => middle(last, of) - middle(first, of);
  assert.ok(grown(({ memoryBytes }) => memoryBytes) < 96 * MIB, `memory grew by ${grown(({ memoryBytes }) => memoryBytes)} bytes`);
  assert.ok(grown(({ openFiles }) => openFiles) < 20, `${grown(({ openFiles }) => openFiles)} more open files`);
  assert.ok(grown(({ diskBytes }) => diskBytes) < 16 * MIB, `the disk grew by ${grown(({ diskBytes }) => diskBytes)} bytes`);
}

// The length of a fault and of the watch; what is asserted does not depend on it.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const soakFaults: readonly Fault[] = [{ name: 'soak', quick: false, run: soak }];
