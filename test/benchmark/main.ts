/** `npm run benchmark`: the gateway's documented shape against the relay, and against nginx as a plain TLS proxy. Exit code 1 when anything failed. */
import { Command, InvalidArgumentError } from 'commander';
import { messageOf } from '../../src/errors.ts';
import { readDuration, readSize } from '../../src/units.ts';
import { describeAgents, runAgents } from './agents.ts';
import { runBenchmark } from './benchmark.ts';
import { describeDrain, runDrain } from './drain.ts';
import { describeProtocols, runProtocols } from './protocols.ts';
import { describe, reportOf } from './report.ts';
import { describeScrape, runScrape } from './scrape.ts';
import { describeTransform, runTransform } from './transform.ts';
import { describeTunnel, runTunnel } from './tunnel.ts';
import { describeWorkspace, runWorkspace } from './workspace.ts';

interface Flags {
  readonly agents: number;
  readonly body: number;
  readonly every: number;
  readonly for: number;
  readonly warmUp: number;
  readonly nginx: boolean;
  readonly drain: boolean;
  readonly group: boolean;
  readonly tunnel: boolean;
  readonly transform: boolean;
  readonly scrape: boolean;
  readonly protocols: boolean;
  readonly workspace: boolean;
  readonly rows: number;
  readonly groups: number;
  readonly profile?: string;
  readonly json: boolean;
}

const KB = 1_000;
const SECOND_MS = 1_000;

const program = new Command('benchmark')
  .description('Measures the relay under the load of many agents, with real processes on this machine. TMPDIR chooses the disk.')
  .option('--agents <count>', 'agents, each with a certificate and a connection of its own', bounded(Number, 1, 20_000), 600)
  .option('--body <size>', 'what an agent sends at a time, compressed', bounded(readSize, KB, 8_000 * KB), 200 * KB)
  .option('--every <duration>', 'how often it sends', bounded(readDuration, 100, 600 * SECOND_MS), 6 * SECOND_MS)
  .option('--for <duration>', 'how long it is measured', bounded(readDuration, SECOND_MS, 3_600 * SECOND_MS), 30 * SECOND_MS)
  .option('--warm-up <duration>', 'how long it runs before that', bounded(readDuration, 0, 600 * SECOND_MS), 6 * SECOND_MS)
  .option('--no-nginx', 'leave nginx out')
  .option('--drain', 'measure instead how fast a backlog drains that gathered while the workspace was down', false)
  .option('--group', 'measure instead the management group: listing, lookups, memory of idle connections', false)
  .option('--tunnel', 'measure instead the tunnel: memory of idle ones, bytes through busy ones, against haproxy', false)
  .option('--transform', 'measure instead what sending to Azure costs, beside @azure/monitor-ingestion', false)
  .option('--scrape', 'measure instead what a scrape of the metrics costs with a long queue', false)
  .option('--protocols', 'measure instead what each protocol of senders costs', false)
  .option('--workspace', 'measure instead what the local workspace keeps and answers', false)
  .option('--rows <count>', 'how many rows go into the larger of its two workspaces', bounded(Number, 1_000, 100_000_000), 10_000_000)
  .option('--groups <count>', 'how many groups are queued then', bounded(Number, 1_000, 1_000_000), 100_000)
  .option('--profile <folder>', "write a CPU profile of the relay there, for Chrome's developer tools")
  .option('--json', 'one JSON value on one line', false);

const {
  agents,
  body,
  every,
  for: measureMs,
  warmUp,
  nginx,
  drain,
  group,
  tunnel,
  transform,
  scrape,
  protocols,
  workspace,
  rows,
  groups,
  profile,
  json,
} = program.parse().opts<Flags>();
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort(new Error(`ended by ${signal}`)));

try {
  const { failures, text } = await measure();
  process.stdout.write(`${text}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`The benchmark could not be run: ${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function measure(): Promise<{ readonly failures: readonly string[]; readonly text: string }> {
  const shape = { agents, bodyBytes: body, everyMs: every, warmUpMs: warmUp, measureMs };
  const around = { shape, signal: ended.signal, onStep: (text: string) => void process.stderr.write(`${text} …\n`) };
  if (group) {
    const report = await runAgents({ agents, signal: ended.signal, onStep: around.onStep });
    return { failures: report.failures, text: json ? JSON.stringify(report) : describeAgents(report) };
  }
  if (tunnel) {
    const report = await runTunnel({ measureMs, signal: ended.signal, onStep: around.onStep });
    return { failures: report.failures, text: json ? JSON.stringify(report) : describeTunnel(report) };
  }
  if (transform) {
    const report = await runTransform({ bodyBytes: body, signal: ended.signal, onStep: around.onStep });
    return { failures: report.failures, text: json ? JSON.stringify(report) : describeTransform(report) };
  }
  if (scrape) {
    const report = await runScrape({ groups, signal: ended.signal, onStep: around.onStep });
    return { failures: report.failures, text: json ? JSON.stringify(report) : describeScrape(report) };
  }
  if (protocols) {
    const report = await runProtocols({ signal: ended.signal, onStep: around.onStep });
    return { failures: report.failures, text: json ? JSON.stringify(report) : describeProtocols(report) };
  }
  if (workspace) {
    const report = await runWorkspace({ rows, signal: ended.signal, onStep: around.onStep });
    return { failures: report.failures, text: json ? JSON.stringify(report) : describeWorkspace(report) };
  }
  if (drain) {
    const report = await runDrain(around);
    return { failures: report.failures, text: json ? JSON.stringify(report) : describeDrain(report) };
  }
  const report = reportOf(await runBenchmark({ ...around, nginx, profileFolder: profile }));
  return { failures: report.failures, text: json ? JSON.stringify(report) : describe(report) };
}

function bounded(read: (text: string) => number | undefined, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = read(text);
    if (value !== undefined && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be from ${least} to ${most}, durations in milliseconds and sizes in bytes unless a unit is given.`);
  };
}
