import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { missingDataTypes } from '../demo/figures.ts';
import { type RunResult, runDemo } from '../demo/run.ts';
import { createScreen, table } from '../demo/screen.ts';
import { DEMO_WORKSPACE, type Site, startSite } from '../demo/site.ts';
import { createLogger } from '../logger.ts';
import { readDuration } from '../units.ts';
import { CommandFailure, EXIT } from './output.ts';
import { packageVersion } from './version.ts';

const AGENTS = ['web01', 'db01', 'app01'];
const SHORTEST_MS = 4_000;
const LONGEST_MS = 24 * 3_600_000;

interface DemoFlags {
  readonly for: number;
  readonly json: boolean;
  readonly stay: boolean;
}

/** `relay demo`: the whole product on this machine, with its own data, an outage, and the books closed at the end. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('run relay, workspace and three agents on this machine, cut the line between relay and workspace, mend it, check that nothing is lost')
    .option('--for <duration>', 'how long data is collected', toDuration, 40_000)
    .option('--json', 'the last line is one JSON object', false)
    .option('--stay', 'go on until Ctrl-C', false)
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-demo-'));
  const log = createLogger('info', createWriteStream(join(folder, 'demo.log')));
  const interrupted = new Promise<void>((resolve) => void process.once('SIGINT', resolve).once('SIGTERM', resolve));
  try {
    const site = await startSite({ folder, agents: AGENTS, retryEveryMs: 3_000, retryWindowMs: 30_000, collectEveryMs: 2_000, version: packageVersion, log });
    try {
      await watch(site, folder, flags, interrupted);
    } finally {
      await site.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function watch(site: Site, folder: string, flags: DemoFlags, interrupted: Promise<void>): Promise<void> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  print(introduction(site, folder));
  const screen = createScreen(process.stdout, () => performance.now());
  if (flags.stay) await untilInterrupted(site, screen, interrupted);
  const result = await runDemo(site, { forMs: flags.stay ? 0 : flags.for, screen, interrupted });
  print(`\n${table(site)}\n\n${balance(result)}`);
  if (flags.json) print(JSON.stringify(result));
  const faults = faultsOf(site, result);
  if (faults.length > 0) throw new CommandFailure(EXIT.failed, faults.join(' '));
}

function faultsOf(site: Site, { lost, cached, directWhileCut, tunnels, isInterrupted }: RunResult): string[] {
  const missing = missingDataTypes(site);
  return [
    ...(lost > 0 ? [`${lost} batches are lost.`] : []),
    ...(cached > 0 ? [`${cached} batches are still in the cache: the workspace did not take them in time.`] : []),
    ...(!isInterrupted && (directWhileCut === 0 || tunnels === 0)
      ? ["Nothing went straight to the workspace through the tunnel while the relay's line was cut."]
      : []),
    ...(missing.length > 0 ? [`Nothing arrived of: ${missing.join(', ')}.`] : []),
  ];
}

async function untilInterrupted(site: Site, screen: ReturnType<typeof createScreen>, interrupted: Promise<void>): Promise<void> {
  screen.say('Running until Ctrl-C.');
  const timer = setInterval(() => screen.draw(site), 500);
  await interrupted;
  clearInterval(timer);
}

function introduction(site: Site, folder: string): string {
  const { intakePort, metricsPort, tunnel } = site.relay.status();
  return [
    'Relay demo: every part is real, on loopback; eight minutes are three seconds here.',
    `  relay      https://127.0.0.1:${intakePort} (agents), 127.0.0.1:${tunnel?.port} (tunnel), http://127.0.0.1:${metricsPort}/metrics`,
    `  workspace  ${site.workspaceUrl} (${DEMO_WORKSPACE})`,
    `  look in    relay status --config ${site.configurationFile}`,
    `  log        ${join(folder, 'demo.log')}`,
  ].join('\n');
}

function balance(result: RunResult): string {
  const sum = `received ${result.received} = delivered ${result.delivered} + cached ${result.cached} + dead-lettered ${result.deadLettered} + dropped ${result.dropped}`;
  const straight = `straight from the agents ${result.direct}, ${result.directWhileCut} of them while the relay's line was cut, through ${result.tunnels} tunnels`;
  return `${sum}\n${straight}\nduplicates ${result.duplicates}; lost: ${result.lost}`;
}

function toDuration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined || ms < SHORTEST_MS || ms > LONGEST_MS) throw new InvalidArgumentError('A duration from 4s to 24h, such as 40s.');
  return ms;
}
