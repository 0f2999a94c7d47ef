import type { Identity } from '../authority/agent-identity.ts';
import type { Batch } from '../batch/batch.ts';
import { checkInPlugin } from '../enrolment/check-in.ts';
import { addressesOf } from '../group/membership.ts';
import { type Accept, createAccept } from '../intake/accept.ts';
import { customLogFilesPlugin } from '../intake/protocols/custom-log-files.ts';
import { dataCollectorPlugin, MAX_POST_BYTES } from '../intake/protocols/data-collector.ts';
import { logsIngestionPlugin } from '../intake/protocols/logs-ingestion.ts';
import { operationalDataPlugin } from '../intake/protocols/operational-data.ts';
import { otlpPlugin } from '../intake/protocols/otlp/plugin.ts';
import { createRecordCounting, type RecordCounting } from '../intake/record-counting.ts';
import { createRuleOwners } from '../intake/rule-owners.ts';
import { senderSignInPlugin } from '../intake/sender-sign-in.ts';
import { createIntakeServer, type IntakeServer } from '../intake/server.ts';
import type { Agent } from '../management-group/agent.ts';
import { groupsOf } from '../management-group/groups.ts';
import { healthPlugin } from '../metrics/plugin.ts';
import { type OpenRouting, openRouting } from '../routing/open-routing.ts';
import { createRecordOpener } from '../upstream/record-opener.ts';
import type { Building } from './building.ts';
import { createCopying } from './copying.ts';
import type { Enrolling } from './enrolling.ts';
import { directRule, directStreams, openTokenSources } from './handing-out.ts';
import type { Keeping } from './keeping.ts';
import { type TakingSyslog, takeSyslog } from './taking-syslog.ts';
import type { Trust } from './trust.ts';

/** The relay's side towards its agents. */
export interface Receiving extends Pick<OpenRouting, 'routing' | 'directWorkspaces'>, Pick<IntakeServer, 'hapi' | 'addIdentity' | 'endIdle'> {
  /** Uses another certificate from the next handshake on. */
  useIdentity(identity: Identity): void;
  /** Ends an agent's connections that carry no request at this moment, and those by which it sends syslog. */
  disconnect(agent: Agent): void;
  /** Listens; returns the port. */
  start(): Promise<number>;
  /** 0 before the start. */
  port(): number;
  /** Undefined where syslog is not taken. */
  readonly syslog: TakingSyslog['status'];
}

export interface ReceivingParts {
  readonly trust: Trust;
  readonly keeping: Keeping;
  readonly enrolling: Enrolling;
  /** The tunnel's port; undefined while it is not open. */
  readonly tunnelPort: () => number | undefined;
}

/** Makes the agents' listener with everything that it serves. It takes nothing before `start`. */
export async function openReceiving(building: Building, parts: ReceivingParts): Promise<Receiving> {
  const { configuration, metrics, component, defer } = building;
  const { server, group, authentication } = parts.trust;
  const ways = await openWays(building, parts);
  const accept = acceptInto(building, parts, ways);
  const intake = createIntakeServer({ options: configuration.intake, identity: server.current(), authentication, metrics, log: component('intake') });
  await intake.hapi.register({ plugin: healthPlugin, options: { ready: parts.keeping.ready } });
  await parts.enrolling.register(intake.hapi);
  await registerData(intake, accept, building, parts.trust);
  await registerSenders(intake, accept, building, parts);
  await registerCheckIn(intake, ways, building, parts.trust);
  const syslog = takeSyslog(building, parts.trust, accept);
  let port = 0;
  return {
    routing: ways.routing,
    directWorkspaces: ways.directWorkspaces,
    hapi: intake.hapi,
    useIdentity(identity) {
      intake.useIdentity(identity);
      syslog.useIdentity(identity);
    },
    addIdentity: intake.addIdentity,
    endIdle: intake.endIdle,
    disconnect(agent) {
      intake.endIdle(group.registry.certificatesOf(agent).map(({ fingerprint }) => fingerprint));
      syslog.disconnect(agent);
    },
    async start() {
      port = await intake.start();
      defer((deadlineMs) => intake.stop(deadlineMs));
      await syslog.start();
      return port;
    },
    port: () => port,
    syslog: syslog.status,
  };
}

async function openWays(building: Building, { trust, tunnelPort }: ReceivingParts): Promise<OpenRouting> {
  const { configuration, clock, component, inData } = building;
  const { groups } = configuration.managementGroup;
  return await openRouting({
    file: inData('routes.json'),
    solutions: configuration.solutions,
    options: configuration.routing,
    workspaces: configuration.workspaces,
    groupsOf: (agent) => groupsOf(agent, groups),
    groupNames: groups.map(({ name }) => name),
    findAgent: trust.group.registry.get,
    tokenSources: await openTokenSources(building),
    ruleOf: directRule,
    tunnelPort,
    isTunnelForAgents: configuration.tunnel.clients === 'agents',
    now: clock.now,
    log: component('routing'),
  });
}

function acceptInto(building: Building, { keeping, trust }: ReceivingParts, { routing }: OpenRouting): Accept {
  const { configuration, clock, random, metrics, tracer, component } = building;
  return createAccept({
    cache: keeping.cache,
    retryEveryMs: configuration.retry.every,
    clock,
    random,
    metrics,
    onKept: trust.group.registry.received,
    direct: { directSolutionOf: routing.directSolutionOf, isRefused: configuration.routing.directAtRelay === 'refuse' },
    copies: createCopying(building, keeping),
    counting: createCounting(building),
    ...(tracer ? { onAcknowledged: (batch: Batch, ms: number) => tracer.finished(batch, { step: 'receive', ms, outcome: 'acknowledged' }) } : {}),
    log: component('intake'),
  });
}

function createCounting({ configuration, metrics, defer }: Building): RecordCounting | undefined {
  if (!configuration.metrics.countRecords) return undefined;
  const opener = createRecordOpener(configuration.intake.maxInflatedSize);
  defer(opener.close);
  const countIn = async (batch: Batch): Promise<number | undefined> => {
    const opened = await opener.open(batch);
    if ('unreadable' in opened) return undefined;
    opened.close();
    return opened.records;
  };
  return createRecordCounting({ countIn, metrics });
}

async function registerData({ hapi }: IntakeServer, accept: Accept, { configuration, clock }: Building, { group }: Trust): Promise<void> {
  const { maxInflatedSize: maxInflatedBytes, bodyTimeout: bodyTimeoutMs, blobAddressLife: addressLifeMs } = configuration.intake;
  const maySend = (agent: Pick<Agent, 'workspaceId' | 'agentId'>): boolean => group.registry.get(agent)?.state === 'approved';
  await hapi.register([
    { plugin: operationalDataPlugin, options: { accept, maxInflatedBytes, bodyTimeoutMs } },
    { plugin: customLogFilesPlugin, options: { accept, maySend, clock, addressLifeMs, maxBlockBytes: maxInflatedBytes, bodyTimeoutMs } },
  ]);
}

async function registerSenders(
  { hapi }: IntakeServer,
  accept: Accept,
  building: Building,
  { trust, enrolling: { senderAttempts: attempts } }: ReceivingParts,
): Promise<void> {
  const { configuration, clock, serves, component } = building;
  const { group, authentication } = trust;
  const { senders, workspaces } = configuration;
  const { maxInflatedSize: maxInflatedBytes, bodyTimeout: bodyTimeoutMs } = configuration.intake;
  await hapi.register({ plugin: senderSignInPlugin, options: { group, certificates: authentication, attempts } });
  if (senders.dataCollector) {
    const options = {
      accept,
      group,
      serves,
      attempts,
      maxBytes: Math.min(MAX_POST_BYTES, maxInflatedBytes),
      bodyTimeoutMs,
      clockSkewMs: senders.clockSkew,
      clock,
    };
    await hapi.register({ plugin: dataCollectorPlugin, options });
  }
  if (senders.logsIngestion) {
    const ownerOfRule = createRuleOwners(workspaces);
    const options = { accept, ownerOfRule, maxBytes: senders.logsIngestionMaxSize, maxInflatedBytes, bodyTimeoutMs };
    await hapi.register({ plugin: logsIngestionPlugin, options });
  }
  if (senders.otlp) await hapi.register({ plugin: otlpPlugin, options: { accept, maxInflatedBytes, bodyTimeoutMs, log: component('intake') } });
}

async function registerCheckIn(
  { hapi }: IntakeServer,
  ways: OpenRouting,
  { configuration, clock }: Building,
  { group, authority, audit, relayGroup: { state } }: Trust,
): Promise<void> {
  const checkIn = {
    routing: ways.routing,
    directWays: ways.directWays,
    tokens: ways.tokens,
    streamsOf: directStreams(configuration.workspaces, ways.routing),
    audit: audit.enter,
    registry: group.registry,
    roots: () => authority.roots().trusted,
    onRoots: authority.onChange,
    relays: () => addressesOf(state.current()),
    onRelays: state.onChange,
    queueLimitBytes: configuration.routing.agentQueueLimit,
    ownHost: configuration.domain,
    mostWaiting: configuration.intake.maxConnections,
    clock,
  };
  await hapi.register({ plugin: checkInPlugin, options: checkIn });
}
