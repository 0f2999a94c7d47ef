import { formatDuration } from '../../src/units.ts';
import type { BenchmarkResult, Measurement } from './benchmark.ts';
import { offeredBytesPerS } from './load.ts';
import type { Spread } from './percentile.ts';

const MB = 1e6;
const GB = 1e9;
const MIB = 2 ** 20;

/** What a process cost while it was measured. */
export interface Cost {
  readonly cores: number;
  readonly cpuSPerGb: number;
  readonly peakMiB: number;
}

export interface TargetReport {
  readonly megabytesPerS: number;
  readonly requests: number;
  readonly acknowledgement: Spread;
  readonly acknowledged: number;
  readonly missing: number;
  readonly repeated: number;
  readonly drainS: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly generatorLateP99Ms: number;
  readonly cost: Readonly<Record<string, Cost>>;
}

/** The figures of a benchmark, as `--json` prints them. MB and GB are 10⁶ and 10⁹ bytes of compressed bodies. */
export interface Report {
  readonly shape: BenchmarkResult['shape'];
  readonly machine: BenchmarkResult['machine'];
  readonly offeredMegabytesPerS: number;
  readonly relay: TargetReport;
  readonly nginx: (TargetReport & { readonly version: string }) | undefined;
  /** Why nginx was not measured. */
  readonly nginxAbsent: string | undefined;
  /** CPU seconds per GB of relay and Redis, divided by nginx's. */
  readonly ratio: number | undefined;
  /** Why the benchmark failed; none when it passed. */
  readonly failures: readonly string[];
}

export function reportOf({ shape, machine, relay, nginx }: BenchmarkResult): Report {
  const own = targetReport(relay, ['relay', 'redis']);
  const other = nginx.version === undefined ? undefined : { version: nginx.version, ...targetReport(nginx.measurement, ['nginx']) };
  const [ours, theirs] = [own.cost['total']?.cpuSPerGb ?? 0, other?.cost['total']?.cpuSPerGb ?? 0];
  return {
    shape,
    machine,
    offeredMegabytesPerS: offeredBytesPerS(shape) / MB,
    relay: own,
    nginx: other,
    nginxAbsent: nginx.version === undefined ? nginx.why : undefined,
    ratio: theirs > 0 ? ours / theirs : undefined,
    failures: [...failuresOf('relay', own), ...(other ? failuresOf('nginx', other) : [])],
  };
}

function targetReport({ run, missing, repeated, drainS }: Measurement, parts: readonly string[]): TargetReport {
  const { result, measuredS, usage } = run;
  const costOf = (names: readonly string[]): Cost => {
    const used = names.map((name) => usage[name] ?? { cpuS: 0, peakBytes: 0 });
    const cpuS = used.reduce((sum, one) => sum + one.cpuS, 0);
    const peakBytes = used.reduce((sum, one) => sum + one.peakBytes, 0);
    return { cores: cpuS / measuredS, cpuSPerGb: result.bytes === 0 ? 0 : (cpuS * GB) / result.bytes, peakMiB: peakBytes / MIB };
  };
  return {
    megabytesPerS: result.bytes / measuredS / MB,
    requests: result.requests,
    acknowledgement: result.acknowledgement,
    acknowledged: result.acknowledged,
    missing,
    repeated,
    drainS,
    errors: result.errors,
    generatorLateP99Ms: result.lateness.p99Ms,
    cost: { ...Object.fromEntries(Object.keys(usage).map((name) => [name, costOf([name])])), total: costOf(parts) },
  };
}

function failuresOf(name: string, { errors, missing, requests }: TargetReport): string[] {
  return [
    ...Object.entries(errors).map(([error, count]) => `${name}: ${count} × ${error}`),
    ...(missing > 0 ? [`${name}: ${missing} acknowledged batches did not come to the far end`] : []),
    ...(requests === 0 ? [`${name}: no request was answered while it was measured`] : []),
  ];
}

/** The report for a person. */
export function describe(report: Report): string {
  const { shape, machine, relay, nginx } = report;
  return [
    `${shape.agents} agents, each ${shape.bodyBytes / 1000} KB every ${formatDuration(shape.everyMs)}: ${fixed(report.offeredMegabytesPerS)} MB/s offered, mutual TLS, appendfsync always`,
    `${machine.cores} cores (${machine.model}), Node ${machine.node}, generator and far end on them too; ${formatDuration(shape.measureMs)} measured after ${formatDuration(shape.warmUpMs)}`,
    '',
    describeTarget('relay + Redis', relay),
    '',
    nginx ? describeTarget(`nginx ${nginx.version}, plain TLS proxy`, nginx) : `nginx was not measured: ${report.nginxAbsent}.`,
    '',
    ...(report.ratio === undefined ? [] : [`The relay costs ${fixed(report.ratio)} times as much CPU per GB as nginx, which stores nothing.`]),
    ...(report.failures.length === 0 ? ['Passed: no error, and everything acknowledged was delivered.'] : report.failures.map((one) => `FAILED: ${one}`)),
  ].join('\n');
}

function describeTarget(name: string, target: TargetReport): string {
  const { acknowledgement: ack, acknowledged, missing, repeated, errors } = target;
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return [
    `${name}: ${fixed(target.megabytesPerS)} MB/s, ${target.requests} requests, ${failed} errors`,
    `  acknowledged after ${fixed(ack.p50Ms)} ms (p50), ${fixed(ack.p99Ms)} ms (p99), ${fixed(ack.maxMs)} ms at most; the generator itself was ${fixed(target.generatorLateP99Ms)} ms late (p99)`,
    `  ${acknowledged} acknowledged in all, ${acknowledged - missing} of them delivered ${fixed(target.drainS)} s after the last one, ${repeated} repeated`,
    ...Object.entries(target.cost).map(describeCost),
  ].join('\n');
}

function describeCost([part, { cores, cpuSPerGb, peakMiB }]: readonly [string, Cost]): string {
  return `  ${part.padEnd(10)} ${cores.toFixed(2)} cores  ${fixed(cpuSPerGb).padStart(6)} CPU-s/GB  ${peakMiB.toFixed(0).padStart(5)} MiB at most`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
