import { type AuditOptions, auditOptions } from '../audit/options.ts';
import { type AuthorityOptions, authorityOptions } from '../authority/options.ts';
import { type CacheOptions, cacheOptions } from '../cache/options.ts';
import { type ControlOptions, controlOptions } from '../control/options.ts';
import { type EnrolmentOptions, enrolmentOptions } from '../enrolment/options.ts';
import { type IncidentsSettings, incidentsSettings } from '../incidents/settings.ts';
import { type IntakeOptions, intakeOptions } from '../intake/options.ts';
import { type SenderOptions, senderOptions } from '../intake/sender-options.ts';
import type { LogLevel } from '../logger.ts';
import { type ManagementGroupOptions, managementGroupOptions } from '../management-group/options.ts';
import { type MetricsOptions, metricsOptions } from '../metrics/options.ts';
import { domain, oneOf, path } from '../option-kinds.ts';
import { check, option, type Schema, section } from '../options.ts';
import { type RetryOptions, retryOptions } from '../retry/options.ts';
import { type RoutingOptions, routingOptions, type SolutionOptions, solutionsOptions } from '../routing/options.ts';
import { type TracingOptions, tracingOptions } from '../tracing/options.ts';
import { type TunnelOptions, tunnelOptions } from '../tunnel/options.ts';
import { type UpstreamOptions, upstreamOptions } from '../upstream/options.ts';
import { type WorkspaceOptions, workspacesOptions } from '../workspace/options.ts';

/** Everything that can be set. Durations are milliseconds, sizes bytes; once loaded, paths are absolute. */
export interface Configuration {
  /** The folder of everything the relay keeps. */
  readonly data: string;
  /** The relay's own DNS domain: agents reach it at `<workspace>.oms.<domain>` and `<workspace>.ods.<domain>`. */
  readonly domain: string;
  readonly log: LogOptions;
  readonly workspaces: readonly WorkspaceOptions[];
  readonly managementGroup: ManagementGroupOptions;
  readonly enrolment: EnrolmentOptions;
  readonly authority: AuthorityOptions;
  readonly intake: IntakeOptions;
  readonly senders: SenderOptions;
  readonly cache: CacheOptions;
  readonly retry: RetryOptions;
  readonly upstream: UpstreamOptions;
  readonly tunnel: TunnelOptions;
  readonly solutions: readonly SolutionOptions[];
  readonly routing: RoutingOptions;
  readonly metrics: MetricsOptions;
  readonly tracing: TracingOptions;
  readonly control: ControlOptions;
  readonly audit: AuditOptions;
  readonly incidents: IncidentsSettings;
}

export interface LogOptions {
  readonly level: LogLevel;
}

const log: Schema<LogOptions> = section<LogOptions>({
  level: option(
    oneOf<LogLevel>(['silent', 'error', 'warn', 'info', 'debug']),
    'info',
    'How much is logged. error: somebody must act; warn: heals itself; info: start, stop, enrolment, outage; debug: every batch.',
  ),
});

const everything = section<Configuration>({
  data: option(path, '/var/lib/relay', 'Folder of everything the relay keeps: cache, authority, agents, keys.'),
  domain: option(domain, 'relay.local', "The relay's own DNS domain: agents reach it at <workspace>.oms.<domain> and <workspace>.ods.<domain>."),
  log,
  workspaces: workspacesOptions,
  managementGroup: managementGroupOptions,
  enrolment: enrolmentOptions,
  authority: authorityOptions,
  intake: intakeOptions,
  senders: senderOptions,
  cache: cacheOptions,
  retry: retryOptions,
  upstream: upstreamOptions,
  tunnel: tunnelOptions,
  solutions: solutionsOptions,
  routing: routingOptions,
  metrics: metricsOptions,
  tracing: tracingOptions,
  control: controlOptions,
  audit: auditOptions,
  incidents: incidentsSettings,
});

const tunnelChecked: Schema<Configuration> = check(everything, {
  at: ['tunnel', 'port'],
  isGood: ({ tunnel, intake, metrics }) => !tunnel?.enabled || !(listensTwice(intake, tunnel) || listensTwice(metrics, tunnel)),
  problem: ({ tunnel }) => `found ${tunnel.port}; a port other than intake.port and metrics.port`,
});

const syslogChecked: Schema<Configuration> = check(tunnelChecked, {
  at: ['senders', 'syslog', 'port'],
  isGood: ({ senders, intake, metrics, tunnel }) => {
    const syslog = senders?.syslog;
    return !syslog?.enabled || ![intake, metrics, ...(tunnel?.enabled ? [tunnel] : [])].some((other) => listensTwice(other, syslog));
  },
  problem: ({ senders }) => `found ${senders.syslog.port}; a port other than intake.port, metrics.port and tunnel.port`,
});

const solutionsChecked = check(syslogChecked, {
  at: ['solutions'],
  isGood: (found) => strangeGroup(found) === undefined,
  problem: (found) => `found the group ${JSON.stringify(strangeGroup(found))}; managementGroup.groups has no group of that name`,
});

/** The schema of the whole file. Reading a value gives a `Configuration`, or every problem it has. */
export const configurationSchema: Schema<Configuration> = check(solutionsChecked, {
  at: ['metrics', 'port'],
  isGood: (found) => !listensTwice(found.intake, found.metrics),
  problem: (found) => `found ${found.metrics.port}; a port other than intake.port`,
});

interface ListeningPlace {
  readonly address: string;
  readonly port: number;
}

function listensTwice(one: ListeningPlace | undefined, other: ListeningPlace | undefined): boolean {
  if (!one?.port || one.port !== other?.port) return false;
  return one.address === other.address || [one.address, other.address].some((address) => address === '0.0.0.0' || address === '::');
}

// What could not be read is whatever was found.
function strangeGroup({ solutions, managementGroup }: Configuration): string | undefined {
  const names = listOf(managementGroup?.groups).map((group) => group?.name);
  const wanted = listOf(solutions).flatMap((solution) => (typeof solution?.group === 'string' ? [solution.group] : []));
  return wanted.find((name) => !names.includes(name));
}

function listOf<T>(found: readonly T[] | undefined): readonly Partial<T>[] {
  return Array.isArray(found) ? (found as readonly Partial<T>[]) : [];
}
