import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { missingDataTypes } from '../demo/figures.ts';
import { installObserverPrograms } from '../demo/observer-programs.ts';
import { startObservers } from '../demo/observing.ts';
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
  readonly observe: boolean;
}

/** What a run was given: the site, its folder, and where Prometheus looks at it, if it does. */
interface Stage {
  readonly site: Site;
  readonly folder: string;
  readonly prometheusUrl: string | undefined;
}

/** `relay demo`: the whole product on this machine, with its own data, an outage, and the books closed at the end. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('run relay, workspace and three agents on this machine, cut the line between relay and workspace, mend it, check that nothing is lost')
    .option('--for <duration>', 'how long data is collected', toDuration, 40_000)
    .option('--json', 'the last line is one JSON object', false)
    .option('--stay', 'go on until Ctrl-C', false)
    .option('--observe', 'with Prometheus, which scrapes relay, machine and Redis every second; it stays until Ctrl-C on a terminal, or with --stay', false)
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  if (flags.observe) await installObserverPrograms();
  // Not once: a listener that is gone leaves the signal to log-update's, which ends the process before anything is closed.
  const interrupted = new Promise<void>((resolve) => void process.on('SIGINT', resolve).on('SIGTERM', resolve));
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'relay-demo-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const log = createLogger('info', createWriteStream(join(folder, 'demo.log')));
  const site = await startSite({ folder, agents: AGENTS, retryEveryMs: 3_000, retryWindowMs: 30_000, collectEveryMs: 2_000, version: packageVersion, log });
  started.defer(() => site.stop());
  const observers = flags.observe ? await startObservers(site, join(folder, 'prometheus')) : undefined;
  started.defer(() => observers?.stop());
  await watch({ site, folder, prometheusUrl: observers?.prometheus.url }, flags, interrupted);
}

async function watch(stage: Stage, flags: DemoFlags, interrupted: Promise<void>): Promise<void> {
  const { site, prometheusUrl } = stage;
  print(introduction(stage));
  const screen = createScreen(process.stdout, () => performance.now());
  // Observed, there is an outage to look at; without, one looks at a site that is well.
  const staysWell = flags.stay && !flags.observe;
  if (staysWell) await untilInterrupted(site, screen, interrupted);
  const result = await runDemo(site, { forMs: staysWell ? 0 : flags.for, screen, interrupted });
  print(`\n${table(site)}\n\n${balance(result)}`);
  if (prometheusUrl !== undefined) await stayObserved(prometheusUrl, flags.stay || process.stdout.isTTY, interrupted);
  if (flags.json) print(JSON.stringify(result));
  const faults = faultsOf(site, result);
  if (faults.length > 0) throw new CommandFailure(EXIT.failed, faults.join(' '));
}

async function stayObserved(url: string, stays: boolean, interrupted: Promise<void>): Promise<void> {
  print(`\nPrometheus has it all: ${url}${stays ? ' (until Ctrl-C)' : ''}`);
  if (stays) await interrupted;
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

function introduction({ site, folder, prometheusUrl }: Stage): string {
  const { intakePort, metricsPort, tunnel } = site.relay.status();
  return [
    'Relay demo: every part is real, on loopback; eight minutes are three seconds here.',
    `  relay      https://127.0.0.1:${intakePort} (agents), 127.0.0.1:${tunnel?.port} (tunnel), http://127.0.0.1:${metricsPort}/metrics`,
    `  workspace  ${site.workspaceUrl} (${DEMO_WORKSPACE})`,
    ...(prometheusUrl === undefined ? [] : [`  Prometheus ${prometheusUrl}`]),
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

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
