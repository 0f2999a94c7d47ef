import type { Status } from '../control/api.ts';
import { createControlServer } from '../control/server.ts';
import { decidesHere } from '../group/steering.ts';
import type { Incidents } from '../incidents/incidents.ts';
import { ruleIdOf } from '../intake/rule-owners.ts';
import type { Building } from './building.ts';
import type { Enrolling } from './enrolling.ts';
import type { Gateway } from './gateway.ts';
import type { Grouping } from './grouping.ts';
import type { Keeping } from './keeping.ts';
import type { Receiving } from './receiving.ts';
import type { Sending } from './sending.ts';
import type { Trust } from './trust.ts';
import { createWatching, type Watching } from './watching.ts';

export interface OperatingParts {
  readonly trust: Trust;
  readonly incidents: Incidents;
  readonly sending: Sending;
  readonly keeping: Keeping;
  readonly enrolling: Enrolling;
  readonly receiving: Receiving;
  readonly grouping: Grouping;
  readonly gateway: Gateway;
  readonly metricsPort: number;
}

/** The relay's side towards its operator. */
export interface Operating {
  readonly status: () => Status;
}

/** Has the figures read before each scrape, and serves the command line. */
export async function startOperating(building: Building, parts: OperatingParts): Promise<Operating> {
  const watching = createWatching(building, parts);
  const status = statusOf(building, parts, watching);
  await startControl(building, parts, status);
  return { status };
}

function statusOf(
  { configuration, version, clock }: Building,
  { trust, sending, keeping, receiving, grouping, gateway, metricsPort }: OperatingParts,
  { agentFigures, certificates }: Watching,
): () => Status {
  const { authority, server } = trust;
  const { registry } = trust.group;
  const startedAt = clock.now();
  return () => {
    const tunnel = gateway.status();
    const syslog = receiving.syslog();
    const group = grouping.status();
    return {
      version,
      pid: process.pid,
      startedAt,
      intakePort: receiving.port(),
      metricsPort,
      rootFingerprint: authority.rootFingerprint,
      serverCertificateEndsAt: server.endsAt(),
      certificates: certificates(),
      agents: registry.countByState(),
      agentsSilent: [...agentFigures().values()].reduce((sum, { silent }) => sum + silent, 0),
      workspaceNames: Object.fromEntries(configuration.workspaces.map(({ id, name }) => [id, name])),
      copiedTo: Object.fromEntries(configuration.workspaces.map(({ id, copyTo }) => [id, copyTo])),
      ...(tunnel ? { tunnel } : {}),
      ...(syslog ? { syslog } : {}),
      ...(group ? { group } : {}),
      roads: sending.roads(),
      signIns: sending.signIns(),
      cache: keeping.cache.stats(),
    };
  };
}

async function startControl(building: Building, parts: OperatingParts, status: () => Status): Promise<void> {
  const { configuration, serves, clock, metrics, record, component, defer } = building;
  const { group, audit, authority } = parts.trust;
  const { cache, keyRotation, redisInfo } = parts.keeping;
  const { enrolling, receiving, grouping } = parts;
  const control = createControlServer(configuration.control.socket, {
    group,
    groups: configuration.managementGroup.groups,
    disconnect: receiving.disconnect,
    now: clock.now,
    deadLetters: cache.deadLetters,
    put: cache.put,
    losses: cache.losses,
    incidents: parts.incidents,
    operations: cache.operations,
    serves,
    status,
    keys: keyRotation,
    authority: {
      authority,
      learnt: enrolling.learnt,
      rootOverlapMs: configuration.authority.rootOverlap,
      issue: enrolling.issue,
    },
    relayGroup: { ...grouping, decidesHere: () => decidesHere(parts.trust.relayGroup.state.current()) },
    routing: receiving.routing,
    directWorkspaces: receiving.directWorkspaces,
    audit: audit.enter,
    readAudit: audit.read,
    support: { recentLines: record?.recentLines ?? (() => []), metrics: metrics.expose, redisInfo },
    backup: { folder: configuration.data, saveDatabase: group.saveTo },
    senderPlaces: {
      domain: configuration.domain,
      port: receiving.port,
      syslogPort: () => (configuration.senders.syslog.enabled ? configuration.senders.syslog.port : undefined),
      ruleIdOf: (workspaceId) => configuration.workspaces.find(({ id }) => id === workspaceId)?.ingestion.ruleId ?? ruleIdOf(workspaceId),
      roots: () => authority.roots().trusted,
    },
    workspaceNamed: (name) => configuration.workspaces.find((one) => one.id === name.toLowerCase() || one.name === name)?.id,
    log: component('control'),
  });
  await control.start();
  defer(() => control.stop());
}
