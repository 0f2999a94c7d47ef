import { type AuthorityOptions, authorityOptions } from '../authority/options.ts';
import { type CacheOptions, cacheOptions } from '../cache/options.ts';
import { type ControlOptions, controlOptions } from '../control/options.ts';
import { type EnrolmentOptions, enrolmentOptions } from '../enrolment/options.ts';
import { type IntakeOptions, intakeOptions } from '../intake/options.ts';
import type { LogLevel } from '../logger.ts';
import { type ManagementGroupOptions, managementGroupOptions } from '../management-group/options.ts';
import { type MetricsOptions, metricsOptions } from '../metrics/options.ts';
import { domain, oneOf, path } from '../option-kinds.ts';
import { check, option, type Schema, section } from '../options.ts';
import { type RetryOptions, retryOptions } from '../retry/options.ts';
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
  readonly cache: CacheOptions;
  readonly retry: RetryOptions;
  readonly upstream: UpstreamOptions;
  readonly metrics: MetricsOptions;
  readonly control: ControlOptions;
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
  cache: cacheOptions,
  retry: retryOptions,
  upstream: upstreamOptions,
  metrics: metricsOptions,
  control: controlOptions,
});

/** The schema of the whole file. Reading a value gives a `Configuration`, or every problem it has. */
export const configurationSchema: Schema<Configuration> = check(everything, {
  at: ['metrics', 'port'],
  isGood: (found) => !listensTwice(found.intake, found.metrics),
  problem: (found) => `found ${found.metrics.port}; a port other than intake.port`,
});

function listensTwice(intake: IntakeOptions | undefined, metrics: MetricsOptions | undefined): boolean {
  if (!intake?.port || intake.port !== metrics?.port) return false;
  return intake.address === metrics.address || [intake.address, metrics.address].some((address) => address === '0.0.0.0' || address === '::');
}
