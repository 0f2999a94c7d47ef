import { type DemoResult, openTunnels, queuedAtAgents, resultOf, straightToWorkspace } from './figures.ts';
import type { Screen } from './screen.ts';
import type { Site } from './site.ts';

const DRAW_EVERY_MS = 250;
const READY_DEADLINE_MS = 45_000;
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

/** The books, and what the outage showed. */
export interface RunResult extends DemoResult {
  /** Batches that came straight from the agents while the relay's line to the workspace was cut. */
  readonly directWhileCut: number;
  /** Tunnels that were open at the end of the outage. */
  readonly tunnels: number;
  readonly isInterrupted: boolean;
}

/** Lets data flow, cuts the relay's line to the workspace, mends it, and closes the books. */
export async function runDemo(site: Site, { forMs, screen, interrupted }: RunOptions): Promise<RunResult> {
  let isInterrupted = false;
  void interrupted.then(() => {
    isInterrupted = true;
  });
  const watch = (ms: number): Promise<void> => draw(site, screen, ms, interrupted);
  await Promise.race([untilStraight(site), interrupted]);

  screen.say(
    'Three agents send heartbeats and log lines of this machine to the relay, which seals, stores and acknowledges them, then delivers. ' +
      "Performance counters go straight to the workspace with the certificates of the management group, through the relay's tunnel.",
  );
  await watch(forMs * BEFORE);
  screen.say(
    "The relay's line to the workspace is cut: connections are refused. The agents notice nothing; the cache fills, and the relay tries again by its schedule. " +
      'What goes straight still arrives.',
  );
  const before = straightToWorkspace(site);
  await site.line.cut();
  await watch(forMs * AWAY);
  const directWhileCut = straightToWorkspace(site) - before;
  const tunnels = openTunnels(site);
  screen.say(`The line is mended; ${directWhileCut} batches came straight meanwhile. With the relay's next try the whole cache goes.`);
  await site.line.mend();
  await watch(forMs * (1 - BEFORE - AWAY));
  await drain(site, screen);
  screen.end();
  return { ...resultOf(site), directWhileCut, tunnels, isInterrupted };
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

// An agent gets its certificate from the management group a moment after it was approved.
async function untilStraight(site: Site): Promise<void> {
  const end = performance.now() + READY_DEADLINE_MS;
  while (straightToWorkspace(site) === 0 && performance.now() < end) await pause(DRAW_EVERY_MS);
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
