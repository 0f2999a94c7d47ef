import { type DemoResult, queuedAtAgents, resultOf } from './figures.ts';
import type { Screen } from './screen.ts';
import type { Site } from './site.ts';

const DRAW_EVERY_MS = 250;
const DRAIN_DEADLINE_MS = 40_000;
/** Shares of the time: before the outage, the outage; the rest is after it. */
const BEFORE = 0.25;
const AWAY = 0.4;

export interface RunOptions {
  /** How long data is collected, in milliseconds. */
  readonly forMs: number;
  readonly screen: Screen;
  /** Resolves early when a person presses Ctrl-C. */
  readonly interrupted: Promise<void>;
}

/** Lets data flow, takes the workspace away, brings it back, and closes the books. */
export async function runDemo(site: Site, { forMs, screen, interrupted }: RunOptions): Promise<DemoResult> {
  const watch = (ms: number): Promise<void> => draw(site, screen, ms, interrupted);

  screen.say('Three agents send heartbeats, performance counters and log lines of this machine. The relay seals, stores and acknowledges, then delivers.');
  await watch(forMs * BEFORE);
  screen.say('The workspace goes away: connections are refused. The agents notice nothing; the cache fills, and the relay tries again by its schedule.');
  await site.workspace.setFault({ mode: 'down' });
  await watch(forMs * AWAY);
  screen.say('The workspace is back. With the next try the whole cache goes.');
  await site.workspace.setFault({ mode: 'none' });
  await watch(forMs * (1 - BEFORE - AWAY));
  await drain(site, screen);
  screen.end();
  return resultOf(site);
}

async function draw(site: Site, screen: Screen, ms: number, interrupted: Promise<void>): Promise<void> {
  const end = performance.now() + ms;
  let stop = false;
  void interrupted.then(() => {
    stop = true;
  });
  while (!stop && performance.now() < end) {
    screen.draw(site);
    await Promise.race([pause(DRAW_EVERY_MS), interrupted]);
  }
}

// The agents end; then only what the relay holds is on its way.
async function drain(site: Site, screen: Screen): Promise<void> {
  const end = performance.now() + DRAIN_DEADLINE_MS;
  while (queuedAtAgents(site) > 0 && performance.now() < end) {
    screen.draw(site);
    await pause(DRAW_EVERY_MS);
  }
  await site.stopAgents();
  while (resultOf(site).cached > 0 && performance.now() < end) {
    screen.draw(site);
    await pause(DRAW_EVERY_MS);
  }
  screen.draw(site);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
