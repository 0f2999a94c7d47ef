/** `npm run test:faults`: breaks things for real, one after another, and reports what became of the data. Exit code 1 when anything failed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { readDuration } from '../../src/units.ts';
import { seeded } from '../support/seeded.ts';
import type { Fault, Trial } from './fault.ts';
import { FAULTS } from './faults.ts';
import { type Line, reportOf } from './report.ts';

interface Flags {
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly soak: number;
  readonly seed: number;
  readonly list: boolean;
  readonly inside: boolean;
}

const program = new Command('test:faults')
  .description('Breaks the relay, its Redis, its disk and its workspaces for real, and compares what was acknowledged with what arrived.')
  .option('--only <words...>', 'the faults whose name has one of these words in it', [])
  .option('--quick', 'fewer repetitions, as in npm test', false)
  .option('--soak <duration>', 'how long the soak goes on', durationOf, 600_000)
  .option('--seed <number>', 'what chance begins with', Number, Date.now() % 1_000_000)
  .option('--list', 'names the faults and does nothing', false)
  .option('--inside', 'already in a mount namespace of its own', false);
const flags = program.parse().opts<Flags>();
const chosen = FAULTS.filter(({ name }) => flags.only.length === 0 || flags.only.some((word) => name.includes(word)));

if (flags.list) process.stdout.write(`${chosen.map(({ name }) => name).join('\n')}\n`);
else if (chosen.length === 0) fail(`No fault has one of these words in its name: ${flags.only.join(', ')}. Names are shown by --list.`);
else if (!flags.inside && chosen.some(({ mounts }) => mounts)) await goInside();
else await runAll();

async function runAll(): Promise<void> {
  process.stderr.write(`seed ${flags.seed}\n`);
  const lines: Line[] = [];
  for (const fault of chosen) {
    const line = await runOne(fault, { quick: flags.quick, soakMs: flags.soak, random: seeded(flags.seed) });
    process.stderr.write(`${line.problem === undefined ? 'ok' : 'FAILED'} ${fault.name} (${line.seconds.toFixed(1)} s)\n`);
    lines.push(line);
  }
  process.stdout.write(`${reportOf(lines)}\n`);
  process.exitCode = lines.some(({ problem }) => problem !== undefined) ? 1 : 0;
}

async function runOne(fault: Fault, trial: Trial): Promise<Line> {
  const begin = performance.now();
  const seconds = (): number => (performance.now() - begin) / 1000;
  try {
    const figures = await fault.run(trial);
    const problem = figures.lost > 0 ? `${figures.lost} acknowledged batches are lost` : undefined;
    return { name: fault.name, seconds: seconds(), figures, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    return { name: fault.name, seconds: seconds(), problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

// The same again where mounting touches nothing outside, and ends with the process however that ends.
async function goInside(): Promise<void> {
  const how = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
  const own = [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--inside'];
  const child = spawn('unshare', [...how, process.execPath, ...own], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}

function durationOf(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration, such as 10m.');
  return ms;
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}
