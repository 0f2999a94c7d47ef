/** The composition root: makes every part, hands each what it needs, starts them from the inside out and stops them from the outside in. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Server } from '@hapi/hapi';
import type { Identity } from './authority/agent-identity.ts';
import { type Authority, openAuthority, renewalDue } from './authority/authority.ts';
import type { Random } from './batch/batch-id.ts';
import { type DurableCache, openCache } from './cache/durable-cache.ts';
import { connectRedis, judgeRedis, type RedisAddress, readRedisFacts } from './cache/redis.ts';
import { type Clock, every } from './clock.ts';
import type { Configuration } from './configuration/schema.ts';
import type { Status } from './control/api.ts';
import { createControlServer } from './control/server.ts';
import { agentServicePlugin } from './enrolment/agent-service.ts';
import { messageOf, RelayError } from './errors.ts';
import { makePrivateFolder, readFileIfAny, readSecretFile, writeFileAtomic } from './files.ts';
import { createAccept } from './intake/accept.ts';
import { peerCertificate } from './intake/client-certificate.ts';
import { customLogFilesPlugin } from './intake/protocols/custom-log-files.ts';
import { operationalDataPlugin } from './intake/protocols/operational-data.ts';
import { createIntakeServer } from './intake/server.ts';
import type { Logger } from './logger.ts';
import { type ManagementGroup, openManagementGroup } from './management-group/management-group.ts';
import { createMetrics, type Metrics } from './metrics/catalogue.ts';
import { readGauges } from './metrics/gauges.ts';
import { healthPlugin, metricsPlugin, type Readiness } from './metrics/plugin.ts';
import { createDeliver } from './upstream/deliver.ts';
import { createHttpClient } from './upstream/http-client.ts';
import { createOperationalDataTransport } from './upstream/operational-data.ts';
import { createRegistration } from './upstream/registration.ts';
import { createRelayIdentities } from './upstream/relay-identity.ts';
import type { Transport } from './upstream/transport.ts';
import { generateKeyRing, type KeyRing, openKeyRing } from './workspace/key-ring.ts';
import type { WorkspaceOptions } from './workspace/options.ts';
import type { WorkspaceId } from './workspace/workspace-id.ts';

const REDIS_TIMEOUT_MS = 30_000;
const RENEWAL_CHECK_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface RelayParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  /** Folder of the operating system's credential store, if there is one (systemd sets it). */
  readonly credentialsFolder: string | undefined;
}

export interface Relay {
  start(): Promise<void>;
  /** Stops taking, lets what is in hand finish for `deadlineMs`, closes. Safe to call twice, and without `start`. */
  stop(deadlineMs: number): Promise<void>;
  status(): Status;
}

/** What must be undone, the last first. */
type Closing = () => Promise<void> | void;

export function createRelay(configuration: Configuration, parts: RelayParts): Relay {
  const { clock, log } = parts;
  const closings: Closing[] = [];
  let status: (() => Status) | undefined;
  let stopping: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    await makePrivateFolder(configuration.data);
    const metrics = createMetrics();
    const keys = await loadKeyRing(configuration, parts);
    const group = openManagementGroup(join(configuration.data, 'management-group.sqlite'), { keys, clock, log: log.child({ component: 'management-group' }) });
    closings.push(() => group.close());
    const authority = await openAuthority(join(configuration.data, 'authority'), clock.now);

    const served = new Set(configuration.workspaces.map((workspace) => workspace.id));
    const serves = (workspaceId: WorkspaceId): boolean => served.has(workspaceId);
    const cache = await openRelayCache(configuration, parts, keys, metrics);
    closings.push(() => cache.close(deadline));

    const transports = new Map<WorkspaceId, Transport>();
    for (const workspace of configuration.workspaces) transports.set(workspace.id, await createTransport(workspace, configuration, parts, metrics));
    closings.push(async () => {
      for (const transport of transports.values()) await transport.close();
    });
    cache.consume(
      createDeliver({
        transports,
        onVerdict: (workspace, { outcome }) => metrics.count('upstreamRequests', { workspace, outcome }),
        log: log.child({ component: 'upstream' }),
      }),
    );

    const ready = (): Readiness => cache.stats().ready;
    const metricsServer = new Server({ address: configuration.metrics.address, port: configuration.metrics.port, debug: false });
    await metricsServer.register([
      { plugin: metricsPlugin, options: { metrics } },
      { plugin: healthPlugin, options: { ready } },
    ]);
    await metricsServer.start();
    closings.push(() => metricsServer.stop({ timeout: 1_000 }));

    const identity = await serverIdentity(configuration, authority, log);
    const settings = { now: clock.now, oldCertificateGraceMs: configuration.enrolment.oldCertificateGrace };
    const intakeLog = log.child({ component: 'intake' });
    const intake = createIntakeServer({
      options: configuration.intake,
      identity,
      authentication: { registry: group.registry, ...settings },
      metrics,
      log: intakeLog,
    });
    const accept = createAccept({ cache, clock, random: parts.random, metrics, log: intakeLog });
    const { maxInflatedSize, bodyTimeout, blobAddressLife } = configuration.intake;
    await intake.hapi.register([
      { plugin: healthPlugin, options: { ready } },
      {
        plugin: agentServicePlugin,
        options: {
          group,
          approve: configuration.managementGroup.approve,
          serves,
          options: configuration.enrolment,
          peerCertificate,
          ownHost: configuration.domain,
          clock,
          metrics,
          log: log.child({ component: 'enrolment' }),
        },
      },
      { plugin: operationalDataPlugin, options: { accept, maxInflatedBytes: maxInflatedSize, bodyTimeoutMs: bodyTimeout } },
      { plugin: customLogFilesPlugin, options: { accept, clock, addressLifeMs: blobAddressLife, maxBlockBytes: maxInflatedSize, bodyTimeoutMs: bodyTimeout } },
    ]);

    let endsAt = expiryOf(identity);
    const stopRenewing = every(clock, RENEWAL_CHECK_MS, async () => {
      const next = await serverIdentity(configuration, authority, log).catch((error: unknown) =>
        log.error({ reason: messageOf(error) }, "the server's certificate could not be renewed"),
      );
      if (!next || expiryOf(next) === endsAt) return;
      intake.useIdentity(next);
      endsAt = expiryOf(next);
      log.info({ endsAt: new Date(endsAt).toISOString() }, "the server's certificate was renewed");
    });
    closings.push(stopRenewing);

    const startedAt = clock.now();
    let intakePort = 0;
    const currentStatus = (): Status => ({
      version: parts.version,
      pid: process.pid,
      startedAt,
      intakePort,
      metricsPort: Number(metricsServer.info.port),
      rootFingerprint: authority.rootFingerprint,
      serverCertificateEndsAt: endsAt,
      agents: countStates(group),
      workspaceNames: Object.fromEntries(configuration.workspaces.map(({ id, name }) => [id, name])),
      cache: cache.stats(),
    });
    status = currentStatus;
    metrics.beforeScrape(() => readGauges(metrics, { stats: cache.stats(), agents: group.registry.list(), certificateEndsAt: endsAt, now: clock.now() }));

    const control = createControlServer(configuration.control.socket, {
      group,
      deadLetters: cache.deadLetters,
      serves,
      status: currentStatus,
      log: log.child({ component: 'control' }),
    });
    await control.start();
    closings.push(() => control.stop());

    // Intake last: from here on batches come.
    intakePort = await intake.start();
    closings.push(() => intake.stop(deadline));
    log.info({ intakePort, metricsPort: metricsServer.info.port, rootFingerprint: authority.rootFingerprint, workspaces: served.size }, 'the relay is running');
  };

  let deadline = 10_000;
  const stop = async (deadlineMs: number): Promise<void> => {
    deadline = deadlineMs;
    // Intake was started last and stops first; running requests finish; then the consumer; Redis and the database at the very end.
    for (const close of closings.splice(0).reverse()) {
      try {
        await close();
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
        await stop(1_000);
        throw cause;
      }
    },
    stop(deadlineMs) {
      stopping ??= stop(deadlineMs);
      return stopping;
    },
    status() {
      if (!status) throw new RelayError('relay.not-running', 'The relay has not started yet.');
      return status();
    },
  };

  async function openRelayCache(from: Configuration, { random }: RelayParts, keys: KeyRing, metrics: Metrics): Promise<DurableCache> {
    const cacheLog = log.child({ component: 'cache' });
    const redisAddress = await redisAddressOf(from, log);
    const redis = await connectRedis(redisAddress, REDIS_TIMEOUT_MS, (error) =>
      cacheLog.debug({ reason: messageOf(error) }, 'Redis reports an error of its connection'),
    );
    closings.push(() => redis.disconnect());
    const { refusals, warnings } = judgeRedis(await readRedisFacts(redis));
    if (refusals.length > 0) throw new RelayError('relay.redis.unsuitable', refusals.join(' '));
    for (const warning of warnings) cacheLog.warn(warning);
    return await openCache(
      {
        folder: join(from.data, 'cache'),
        limitBytes: from.cache.limit,
        limitPerWorkspaceBytes: from.cache.limitPerWorkspace,
        groupBatches: from.cache.groupBatches,
        groupBytes: from.cache.groupSize,
        segmentBytes: from.cache.segmentSize,
        memoryBytes: from.cache.memory,
        groupsInFlight: from.upstream.groupsInFlight,
        schedule: { everyMs: from.retry.every, windowMs: from.retry.window },
      },
      {
        workspaces: from.workspaces.map(({ id }) => id),
        keys,
        redis,
        redisAddress,
        clock,
        random,
        log: cacheLog,
        onDamage: (bytes) => metrics.count('cacheDamagedBytes', {}, bytes),
      },
    );
  }
}

async function createTransport(
  workspace: WorkspaceOptions,
  { data, upstream }: Configuration,
  { clock, log, version }: RelayParts,
  metrics: Metrics,
): Promise<Transport> {
  const { id, domain, endpoint, sharedKeyFile, trustFile } = workspace;
  const upstreamLog = log.child({ component: 'upstream' });
  const client = createHttpClient({
    connections: upstream.connections,
    connectTimeoutMs: upstream.connectTimeout,
    requestTimeoutMs: upstream.requestTimeout,
    trust: trustFile === undefined ? undefined : await readFile(trustFile, 'utf8'),
  });
  const registration = createRegistration({
    workspaceId: id,
    serviceUrl: endpoint ?? `https://${id}.oms.${domain}`,
    userAgent: `Relay/${version}`,
    sharedKey: () => readSecretFile(sharedKeyFile, (message) => upstreamLog.warn(message)),
    identities: createRelayIdentities(join(data, 'upstream', id), id, { lifeMs: upstream.certificateLife, now: clock.now }),
    client,
    clock,
    log: upstreamLog,
  });
  const dataUrl = endpoint ?? `https://${id}.ods.${domain}`;
  return createOperationalDataTransport({
    dataUrl,
    version,
    client,
    registration,
    clock,
    onAnswer: (seconds) => metrics.observe('upstreamSeconds', {}, seconds),
  });
}

async function loadKeyRing({ data, cache }: Configuration, { log, credentialsFolder }: RelayParts): Promise<KeyRing> {
  const credential = credentialsFolder && (await readFileIfAny(join(credentialsFolder, 'cache-keys')));
  if (credential) return openKeyRing(credential.toString());
  const path = cache.keyFile ?? join(data, 'keys', 'cache.json');
  if ((await readFileIfAny(path)) === undefined && cache.keyFile === undefined) {
    await makePrivateFolder(join(data, 'keys'));
    await writeFileAtomic(path, JSON.stringify(generateKeyRing()));
    log.warn(
      { path },
      'the keys that seal the cache are in a plain file (mode 0600); give them as the systemd credential "cache-keys" to keep them off the disk',
    );
  }
  return openKeyRing(await readSecretFile(path, (message) => log.warn(message)));
}

async function redisAddressOf({ cache }: Configuration, log: Logger): Promise<RedisAddress> {
  const { socket, host, port, database, passwordFile } = cache.redis;
  const password = passwordFile === undefined ? undefined : await readSecretFile(passwordFile, (message) => log.warn(message));
  return { socket, host, port, database, password };
}

// The root goes with it, so that an agent that was given its fingerprint can learn it.
async function serverIdentity({ authority: options, domain }: Configuration, authority: Authority, log: Logger): Promise<Identity> {
  if (options.serverCertificateFile !== undefined && options.serverKeyFile !== undefined) {
    const certificate = await readFile(options.serverCertificateFile, 'utf8');
    const identity = { certificate, privateKey: await readSecretFile(options.serverKeyFile, (message) => log.warn(message)) };
    if (Date.now() > renewalDue(new X509Certificate(certificate)))
      log.warn({ path: options.serverCertificateFile }, 'your server certificate is past two thirds of its life; renew it');
    return identity;
  }
  const names = [...new Set([domain, `*.oms.${domain}`, `*.ods.${domain}`, hostname(), 'localhost', '127.0.0.1', ...options.serverNames])];
  const identity = await authority.serverIdentity(names, options.serverCertificateLife / DAY_MS);
  return { certificate: identity.certificate + authority.root, privateKey: identity.privateKey };
}

function expiryOf(identity: Identity): number {
  return new X509Certificate(identity.certificate).validToDate.getTime();
}

function countStates({ registry }: ManagementGroup): Status['agents'] {
  const agents = registry.list();
  const count = (state: string): number => agents.filter((agent) => agent.state === state).length;
  return { pending: count('pending'), approved: count('approved'), suspended: count('suspended') };
}
