import { join } from 'node:path';
import type { Random } from '../batch/batch-id.ts';
import type { Clock } from '../clock.ts';
import type { Configuration } from '../configuration/schema.ts';
import type { RelayError } from '../errors.ts';
import { readSecretFile } from '../files.ts';
import type { Logger, LogRecord } from '../logger.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { type OwnSecrets, openOwnSecrets } from '../own-secrets.ts';
import type { BatchTracer } from '../tracing/batch-tracer.ts';
import { openTracing } from '../tracing/open-tracing.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

export interface RelayParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What is known of the log's lines; nothing of it is shown without. */
  readonly record?: LogRecord;
  readonly version: string;
  /** Folder of the operating system's credential store, if there is one (systemd sets it). */
  readonly credentialsFolder: string | undefined;
  /** Called when the relay cannot go on in this process. */
  readonly onStuck?: (error: RelayError) => void;
}

/** How a part is undone, in `deadlineMs` at most. */
export type Closing = (deadlineMs: number) => Promise<void> | void;

/** What every side of the relay is made with. */
export interface Building extends RelayParts {
  readonly configuration: Configuration;
  readonly metrics: Metrics;
  /** Writes the steps of batches as spans; undefined unless the operator wants that. */
  readonly tracer: BatchTracer | undefined;
  /** The workspaces of the configuration. */
  readonly served: ReadonlySet<WorkspaceId>;
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  /** How the relay keeps the secrets that it makes itself. */
  readonly secrets: OwnSecrets;
  /** A logger whose lines bear the component's name. */
  component(name: string): Logger;
  /** A place in the data folder. */
  inData(...names: readonly string[]): string;
  /** The secret in this file; undefined without a file. */
  readSecret(file: string | undefined): Promise<string | undefined>;
  /** Has this undone at the stop, before all that was deferred earlier. */
  defer(close: Closing): void;
}

/** Opens what every side is made with: figures and, where they are wanted, traces. */
export async function openBuilding(configuration: Configuration, parts: RelayParts, defer: Building['defer']): Promise<Building> {
  const { log } = parts;
  const names = new Map<string, string>(configuration.workspaces.map(({ id, name }) => [id, name]));
  const metrics = createMetrics({ workspaceName: (id) => names.get(id) ?? id });
  const served = new Set<WorkspaceId>(configuration.workspaces.map(({ id }) => id));
  const tracer = await openTracing({
    options: configuration.tracing,
    relay: configuration.domain,
    version: parts.version,
    now: parts.clock.now,
    warn: (message) => log.warn({ component: 'tracing' }, message),
  });
  if (tracer) defer(tracer.close);
  return {
    ...parts,
    configuration,
    metrics,
    tracer,
    served,
    serves: (workspaceId) => served.has(workspaceId),
    secrets: await openOwnSecrets(parts.credentialsFolder),
    component: (name) => log.child({ component: name }),
    inData: (...names) => join(configuration.data, ...names),
    readSecret: async (file) => (file === undefined ? undefined : await readSecretFile(file, (message) => log.warn({ component: 'secrets' }, message))),
    defer,
  };
}
