/** The composition root: makes every part, hands each what it needs, starts them from the inside out and stops them from the outside in. */
import { join } from 'node:path';
import { openAuthority } from './authority/authority.ts';
import { createServerIdentity } from './authority/server-identity.ts';
import type { Random } from './batch/batch-id.ts';
import type { CacheSettings } from './cache/cache-parts.ts';
import { openCache } from './cache/durable-cache.ts';
import { openRedis } from './cache/open-redis.ts';
import type { RedisAddress } from './cache/redis.ts';
import type { Clock } from './clock.ts';
import type { Configuration } from './configuration/schema.ts';
import type { Status } from './control/api.ts';
import { createControlServer } from './control/server.ts';
import { agentServicePlugin } from './enrolment/agent-service.ts';
import { messageOf, RelayError } from './errors.ts';
import { makePrivateFolder, readSecretFile } from './files.ts';
import { createAccept } from './intake/accept.ts';
import { peerCertificate } from './intake/client-certificate.ts';
import { customLogFilesPlugin } from './intake/protocols/custom-log-files.ts';
import { operationalDataPlugin } from './intake/protocols/operational-data.ts';
import { createIntakeServer } from './intake/server.ts';
import type { Logger } from './logger.ts';
import type { Agent } from './management-group/agent.ts';
import { openManagementGroup } from './management-group/management-group.ts';
import { createMetrics } from './metrics/catalogue.ts';
import { readGauges } from './metrics/gauges.ts';
import { healthPlugin, type Readiness } from './metrics/plugin.ts';
import { startMetricsServer } from './metrics/server.ts';
import { connectWorkspace } from './upstream/connect.ts';
import { createDeliver } from './upstream/deliver.ts';
import { createRecordOpener } from './upstream/record-opener.ts';
import type { Transport } from './upstream/transport.ts';
import { loadKeyRing } from './workspace/key-ring-file.ts';
import { createKeyRotation } from './workspace/key-rotation.ts';
import type { WorkspaceId } from './workspace/workspace-id.ts';

const STOP_AFTER_FAILED_START_MS = 1_000;

export interface RelayParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  /** Folder of the operating system's credential store, if there is one (systemd sets it). */
  readonly credentialsFolder: string | undefined;
  /** Called when the relay cannot go on in this process. */
  readonly onStuck?: (error: RelayError) => void;
}

export interface Relay {
  /** Starts everything, or nothing: what was started is stopped again when a part cannot be. */
  start(): Promise<void>;
  /** Stops taking, lets what is in hand finish for `deadlineMs`, closes. Safe to call twice, and without `start`. */
  stop(deadlineMs: number): Promise<void>;
  status(): Status;
}

export function createRelay(configuration: Configuration, parts: RelayParts): Relay {
  const { clock, log } = parts;
  const { data, enrolment, intake: intakeOptions, workspaces } = configuration;
  const component = (name: string): Logger => log.child({ component: name });
  /** What must be undone, the last first. */
  const closings: ((deadlineMs: number) => Promise<void> | void)[] = [];
  let currentStatus: (() => Status) | undefined;
  let stopping: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    await makePrivateFolder(data);
    const metrics = createMetrics();
    const served = new Set<WorkspaceId>(workspaces.map(({ id }) => id));
    const serves = (workspaceId: WorkspaceId): boolean => served.has(workspaceId);

    const keyPlace = {
      credentialsFolder: parts.credentialsFolder,
      keyFile: configuration.cache.keyFile,
      ownFile: join(data, 'keys', 'cache.json'),
      now: clock.now,
    };
    const keys = await loadKeyRing(keyPlace, log);
    // It locks its file: a second relay with the same folder ends here, before it touches anything that is shared.
    const group = openManagementGroup(join(data, 'management-group.sqlite'), { keys, clock, log: component('management-group') });
    closings.push(group.close);
    const authority = await openAuthority(join(data, 'authority'), clock.now);
    const server = await createServerIdentity({
      options: configuration.authority,
      domain: configuration.domain,
      authority,
      clock,
      log: component('authority'),
    });

    // Made before the cache, so closed after it: what is on its way upstream at the stop is answered, and the next start does not send it again.
    const transports = new Map<WorkspaceId, Transport>();
    closings.push(async () => void (await Promise.all([...transports.values()].map((transport) => transport.close()))));
    const onAnswer = (seconds: number): void => metrics.observe('upstreamSeconds', {}, seconds);
    const opener = createRecordOpener(intakeOptions.maxInflatedSize);
    closings.push(opener.close);
    const onPart = (workspace: WorkspaceId): void => metrics.count('upstreamParts', { workspace });
    const connecting = {
      options: configuration.upstream,
      folder: join(data, 'upstream'),
      version: parts.version,
      clock,
      log: component('upstream'),
      onAnswer,
      opener,
      onPart,
    };
    for (const workspace of workspaces) transports.set(workspace.id, await connectWorkspace(workspace, connecting));

    const redisAddress = await redisAddressOf(configuration, log);
    const redis = await openRedis(redisAddress, component('cache'));
    closings.push(() => redis.disconnect());
    const cache = await openCache(cacheSettings(configuration), {
      workspaces: [...served],
      keys,
      redis,
      redisAddress,
      clock,
      random: parts.random,
      log: component('cache'),
      onDamage: (bytes) => metrics.count('cacheDamagedBytes', {}, bytes),
      onReconnect: (workspace) => metrics.count('watchdogRestarts', { workspace }),
      onStuck: parts.onStuck ?? (() => {}),
      onLoss: ({ workspaceId: workspace, kind, reason, batches, bytes }) => {
        metrics.count('droppedBatches', { workspace, kind, reason }, batches);
        metrics.count('droppedBytes', { workspace, kind, reason }, bytes);
      },
      onDeadRecords: (workspace, status, records) => metrics.count('deadLetterRecords', { workspace, status: String(status) }, records),
    });
    closings.push((deadlineMs) => cache.close(deadlineMs));

    const keyRotation = createKeyRotation({
      ring: keys,
      keyLifeMs: configuration.cache.keyLife,
      holdings: async () => [...(await cache.keyHoldings()), ...group.enrolmentKeys.sealedWith().map((keyId) => ({ keyId, enrolmentKeys: 1 }))],
      reseal: group.enrolmentKeys.reseal,
      forget: cache.forgetKey,
      clock,
      log: component('keys'),
    });
    closings.push(keyRotation.stop);
    await keyRotation.start();

    const onVerdict = (workspace: WorkspaceId, { outcome }: { readonly outcome: string }): void => metrics.count('upstreamRequests', { workspace, outcome });
    cache.consume(createDeliver({ transports, onVerdict, log: component('upstream') }));

    const ready = (): Readiness => cache.stats().ready;
    const metricsServer = await startMetricsServer(configuration.metrics, { metrics, ready });
    closings.push(() => metricsServer.stop());

    const accept = createAccept({ cache, retryEveryMs: configuration.retry.every, clock, random: parts.random, metrics, log: component('intake') });
    const authentication = { registry: group.registry, now: clock.now, oldCertificateGraceMs: enrolment.oldCertificateGrace };
    const intake = createIntakeServer({ options: intakeOptions, identity: server.current(), authentication, metrics, log: component('intake') });
    const agentService = {
      group,
      approve: configuration.managementGroup.approve,
      serves,
      options: enrolment,
      peerCertificate,
      ownHost: configuration.domain,
      clock,
      metrics,
    };
    const maySend = (agent: Pick<Agent, 'workspaceId' | 'agentId'>): boolean => group.registry.get(agent)?.state === 'approved';
    const { maxInflatedSize: maxInflatedBytes, bodyTimeout: bodyTimeoutMs, blobAddressLife: addressLifeMs } = intakeOptions;
    await intake.hapi.register([
      { plugin: healthPlugin, options: { ready } },
      { plugin: agentServicePlugin, options: { ...agentService, log: component('enrolment') } },
      { plugin: operationalDataPlugin, options: { accept, maxInflatedBytes, bodyTimeoutMs } },
      { plugin: customLogFilesPlugin, options: { accept, maySend, clock, addressLifeMs, maxBlockBytes: maxInflatedBytes, bodyTimeoutMs } },
    ]);
    closings.push(server.watch(intake.useIdentity));

    const startedAt = clock.now();
    let intakePort = 0;
    const status = (): Status => ({
      version: parts.version,
      pid: process.pid,
      startedAt,
      intakePort,
      metricsPort: metricsServer.port,
      rootFingerprint: authority.rootFingerprint,
      serverCertificateEndsAt: server.endsAt(),
      agents: group.registry.countByState(),
      workspaceNames: Object.fromEntries(workspaces.map(({ id, name }) => [id, name])),
      cache: cache.stats(),
    });
    metrics.beforeScrape(() =>
      readGauges(metrics, { stats: cache.stats(), agents: group.registry.list(), certificateEndsAt: server.endsAt(), now: clock.now() }),
    );
    const control = createControlServer(configuration.control.socket, {
      group,
      deadLetters: cache.deadLetters,
      put: cache.put,
      losses: cache.losses,
      operations: cache.operations,
      serves,
      status,
      keys: keyRotation,
      log: component('control'),
    });
    await control.start();
    closings.push(() => control.stop());

    // Intake last: from here on batches come.
    intakePort = await intake.start();
    closings.push((deadlineMs) => intake.stop(deadlineMs));
    currentStatus = status;
    log.info({ intakePort, metricsPort: metricsServer.port, rootFingerprint: authority.rootFingerprint, workspaces: served.size }, 'the relay is running');
  };

  // Intake was started last and stops first; running requests finish, then the consumer; Redis and the database go at the very end.
  const stop = async (deadlineMs: number): Promise<void> => {
    for (const close of closings.splice(0).reverse()) {
      try {
        await close(deadlineMs);
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'a part could not be stopped cleanly');
      }
    }
    log.info('the relay has stopped');
  };

  return {
    async start() {
      try {
        await start();
      } catch (cause) {
        await stop(STOP_AFTER_FAILED_START_MS);
        throw cause;
      }
    },
    stop(deadlineMs) {
      stopping ??= stop(deadlineMs);
      return stopping;
    },
    status() {
      if (!currentStatus) throw new RelayError('relay.not-running', 'The relay has not started yet.');
      return currentStatus();
    },
  };
}

function cacheSettings({ data, cache, retry, upstream }: Configuration): CacheSettings {
  return {
    folder: join(data, 'cache'),
    limitBytes: cache.limit,
    limitPerWorkspaceBytes: cache.limitPerWorkspace,
    dropOrder: cache.dropOrder,
    deadLetterLimitBytes: cache.deadLetterLimit,
    groupBatches: cache.groupBatches,
    groupBytes: cache.groupSize,
    segmentBytes: cache.segmentSize,
    memoryBytes: cache.memory,
    groupsInFlight: upstream.groupsInFlight,
    schedule: { everyMs: retry.every, windowMs: retry.window },
    maxBytesPerS: upstream.maxRate,
    maxAgeMs: cache.maxAge,
    // A workspace may be as slow as it is allowed to be.
    watchdogMs: Math.max(cache.watchdog, 2 * upstream.requestTimeout),
  };
}

async function redisAddressOf({ cache }: Configuration, log: Logger): Promise<RedisAddress> {
  const { socket, host, port, database, passwordFile } = cache.redis;
  const password = passwordFile === undefined ? undefined : await readSecretFile(passwordFile, (message) => log.warn(message));
  return { socket, host, port, database, password };
}
