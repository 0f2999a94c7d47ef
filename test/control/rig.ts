import assert from 'node:assert/strict';
import { randomFillSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { type Authority, openAuthority } from '../../src/authority/authority.ts';
import { readCertificate } from '../../src/authority/x509.ts';
import type { Batch } from '../../src/batch/batch.ts';
import { createBatchId } from '../../src/batch/batch-id.ts';
import type { Cache } from '../../src/cache/cache.ts';
import { type DeadLetters, openDeadLetters } from '../../src/cache/dead-letters.ts';
import type { LossEntry } from '../../src/cache/loss.ts';
import type { CacheOperations } from '../../src/cache/operations.ts';
import type { Status } from '../../src/control/api.ts';
import type { AuthorityControl } from '../../src/control/authority-routes.ts';
import type { RelayGroupControl } from '../../src/control/group-routes.ts';
import type { ControlPluginOptions } from '../../src/control/plugin.ts';
import type { SenderPlaces } from '../../src/control/senders-routes.ts';
import { createControlServer } from '../../src/control/server.ts';
import type { SupportControl } from '../../src/control/support-routes.ts';
import { createLogger } from '../../src/logger.ts';
import type { ManagementGroup } from '../../src/management-group/management-group.ts';
import { openManagementGroup } from '../../src/management-group/management-group.ts';
import { createRootsLearnt, type RootsLearnt } from '../../src/management-group/roots-learnt.ts';
import type { Routing } from '../../src/routing/routing.ts';
import { loadKeyRing } from '../../src/workspace/key-ring-file.ts';
import { createKeyRotation, type KeyHolding, type KeyRotation } from '../../src/workspace/key-rotation.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { GROUND } from '../cache/ground.ts';
import { BANK, certificate, enrolled, START } from '../management-group/rig.ts';
import { openTestRouting } from '../routing/rig.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export const WEB01 = 'aaaaaaaa-0000-4000-8000-000000000001';
export const WEB02 = 'aaaabbbb-0000-4000-8000-000000000002';
export const DB01 = 'cccccccc-0000-4000-8000-000000000003';

export const STATUS: Status = {
  version: '1.2.3',
  pid: 42,
  startedAt: START,
  intakePort: 8443,
  metricsPort: 9464,
  rootFingerprint: 'f'.repeat(64),
  serverCertificateEndsAt: START + 86_400_000,
  certificates: [],
  agents: { pending: 1, approved: 2, suspended: 0 },
  agentsSilent: 0,
  workspaceNames: { [BANK]: 'the bank' },
  copiedTo: {},
  roads: {},
  signIns: {},
  cache: {
    workspaces: [
      {
        workspaceId: BANK,
        upstream: { state: 'held', since: START, nextTryAt: START + 480_000, reason: 'HTTP 503' },
        balance: [],
        oldestByKind: { Event: START },
        groupsWaiting: 3,
        groupsInFlight: 1,
        groupsDelayed: 0,
        deadLetters: { letters: 0, bytes: 0, byStatus: {} },
        oldestAt: START,
      },
    ],
    usedBytes: 1024,
    limitBytes: 1024 * 1024,
    ready: { ok: true },
    ground: GROUND,
  },
};

export const SUPPORT: SupportControl = {
  recentLines: () => ['{"level":"info","msg":"the relay is running"}\n'],
  metrics: async () => '# TYPE relay_ready gauge\nrelay_ready 1\n',
  redisInfo: async () => 'redis_version:7.0.15\n',
};

/** A relay in no group. */
export const ALONE: RelayGroupControl = {
  steering: {
    init: () => Promise.resolve(),
    join: () => Promise.resolve(),
    createToken: () => Promise.resolve({ token: 'a token', expiresAt: START }),
    remove: () => Promise.resolve(),
    promote: () => Promise.resolve(),
    leave: () => Promise.resolve(),
  },
  status: () => undefined,
  heardElsewhere: () => undefined,
  decidesHere: () => {},
};

/** Where senders of a relay in tests are told to go. */
export const SENDER_PLACES: SenderPlaces = {
  domain: 'relay.test',
  port: () => 8443,
  syslogPort: () => undefined,
  ruleIdOf: () => `dcr-${'1'.repeat(32)}`,
  roots: () => [],
};

export interface ControlRig extends AsyncDisposable {
  readonly socket: string;
  readonly folder: string;
  readonly group: ManagementGroup;
  readonly deadLetters: DeadLetters;
  /** What was put into the cache. */
  readonly stored: Batch[];
  readonly put: Cache['put'];
  readonly keys: KeyRotation;
  readonly routing: Routing;
  readonly authority: Authority;
  readonly learnt: RootsLearnt;
  readonly authorityControl: AuthorityControl;
  /** Messages of the log at level error. */
  readonly errors: string[];
  /** Agents whose connections were ended. */
  readonly disconnected: string[];
  /** What operators did to the cache. */
  readonly orders: unknown[][];
  /** What was entered into the audit log. */
  readonly entries: AuditEvent[];
}

/** A relay where nothing went wrong. */
export const NO_INCIDENTS: ControlPluginOptions['incidents'] = { list: () => [], show: () => undefined, change: () => ({ outcome: 'unknown' }) };

/** A control server with three agents. */
export async function createControlRig(losses: readonly LossEntry[] = [], incidents: ControlPluginOptions['incidents'] = NO_INCIDENTS): Promise<ControlRig> {
  const folder = await temporaryFolder();
  const clock = createManualClock(START);
  const errors: string[] = [];
  const orders: unknown[][] = [];
  const disconnected: string[] = [];
  const entries: AuditEvent[] = [];
  const log = createLogger('error', { write: (line: string) => void errors.push(line) });
  const ring = await loadKeyRing({ credentialsFolder: undefined, keyFile: undefined, ownFile: join(folder.path, 'keys.json'), now: clock.now }, log);
  const group = openManagementGroup(join(folder.path, 'group.sqlite'), { keys: ring, clock, log });
  const holdings = (): Promise<KeyHolding[]> => Promise.resolve(group.enrolmentKeys.sealedWith().map((keyId) => ({ keyId, enrolmentKeys: 1 })));
  const keys = createKeyRotation({
    ring,
    keyLifeMs: 90 * 86_400_000,
    holdings,
    reseal: group.enrolmentKeys.reseal,
    forget: () => Promise.resolve(),
    clock,
    log,
  });
  for (const [at, [agentId, hostName]] of [
    [WEB01, 'web01.example.org'],
    [WEB02, 'web02.example.org'],
    [DB01, 'db01'],
  ].entries()) {
    group.registry.enrol(enrolled(parseAgentId(agentId ?? ''), { hostName: hostName ?? '', certificate: certificate(`c${at}`) }));
  }
  const deadLetters = await openDeadLetters(join(folder.path, 'dead'), ring);
  const socket = join(folder.path, 'relay.sock');
  const stored: Batch[] = [];
  const put: Cache['put'] = async (batch) => {
    if (batch.dataType === 'TOO_MUCH') return { outcome: 'full', message: 'The cache is full.' };
    stored.push(batch);
    return { outcome: 'stored' };
  };
  const authority = await openAuthority(join(folder.path, 'authority'), clock.now);
  const learnt = createRootsLearnt(clock.now);
  const authorityControl: AuthorityControl = {
    authority,
    learnt,
    rootOverlapMs: 30 * 86_400_000,
    issue(agent, publicKey) {
      const { der } = authority.issueAgent({ ...agent, publicKey, lifeMs: 90 * 86_400_000 });
      return { der, facts: readCertificate(der) ?? assert.fail('no certificate') };
    },
  };
  const routing = await openTestRouting(folder.path);
  const server = createControlServer(socket, {
    group,
    groups: [{ name: 'databases', match: 'db*' }],
    disconnect: ({ agentId }) => void disconnected.push(agentId),
    now: clock.now,
    deadLetters,
    put,
    losses: { list: () => losses },
    incidents,
    operations: operationsIn(orders),
    serves: (id) => id === BANK,
    status: () => STATUS,
    keys,
    authority: authorityControl,
    relayGroup: ALONE,
    routing,
    directWorkspaces: [],
    audit: (event) => void entries.push(event),
    readAudit: () => Promise.resolve([]),
    support: SUPPORT,
    backup: { folder: folder.path, saveDatabase: group.saveTo },
    senderPlaces: { ...SENDER_PLACES, roots: () => authority.roots().trusted },
    workspaceNamed: (name) => (name === 'bank' || name === BANK ? BANK : undefined),
    log,
  });
  await server.start();
  return {
    socket,
    folder: folder.path,
    group,
    deadLetters,
    stored,
    put,
    keys,
    routing,
    authority,
    learnt,
    authorityControl,
    errors,
    disconnected,
    orders,
    entries,
    async [Symbol.asyncDispose]() {
      await server.stop();
      group.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Operations that only note what was asked. */
export function operationsIn(orders: unknown[][]): CacheOperations {
  return {
    retryNow: (...order) => void orders.push(['retryNow', ...order]),
    async pause(...order) {
      orders.push(['pause', ...order]);
    },
    async purge(...order) {
      orders.push(['purge', ...order]);
      return { batches: 2, bytes: 20 };
    },
  };
}

/** Puts a dead letter aside and returns its batch. */
export async function putLetter({ deadLetters }: Pick<ControlRig, 'deadLetters'>, body: Buffer, dataType = 'DEMO_BLOB'): Promise<Batch> {
  const batch: Batch = {
    id: createBatchId(START, randomFillSync),
    workspaceId: BANK,
    agentId: parseAgentId(randomUUID()),
    kind: 'Event',
    dataType,
    solution: 'LogManagement',
    receivedAt: START,
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'deflate', headers: { 'x-ms-azureregion': 'OnPremise' } },
    body,
  };
  await deadLetters.put(batch, { reason: 'refused', answer: 'bad record', status: 400 }, START);
  return batch;
}
