import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Request } from '@hapi/hapi';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { createAgentIdentity, type Identity } from '../../src/authority/agent-identity.ts';
import { type Authority, openAuthority } from '../../src/authority/authority.ts';
import { fromPem, readCertificate } from '../../src/authority/x509.ts';
import type { Batch } from '../../src/batch/batch.ts';
import type { PutOutcome } from '../../src/cache/cache.ts';
import type { DeadLetterCause } from '../../src/cache/dead-letters.ts';
import { agentServicePlugin } from '../../src/enrolment/agent-service.ts';
import { createAttempts } from '../../src/enrolment/attempts.ts';
import { estPlugin } from '../../src/enrolment/est/plugin.ts';
import { revocationListPlugin } from '../../src/enrolment/est/revocation-list-plugin.ts';
import { enrolmentOptions } from '../../src/enrolment/options.ts';
import { signInPlugin } from '../../src/enrolment/sign-in/plugin.ts';
import { createAccept, type DirectAtRelay, type Keeper } from '../../src/intake/accept.ts';
import { peerCertificate } from '../../src/intake/client-certificate.ts';
import { type IntakeOptions, intakeOptions } from '../../src/intake/options.ts';
import { customLogFilesPlugin } from '../../src/intake/protocols/custom-log-files.ts';
import { dataCollectorPlugin } from '../../src/intake/protocols/data-collector.ts';
import { logsIngestionPlugin } from '../../src/intake/protocols/logs-ingestion.ts';
import { operationalDataPlugin } from '../../src/intake/protocols/operational-data.ts';
import { createRuleOwners } from '../../src/intake/rule-owners.ts';
import { senderSignInPlugin } from '../../src/intake/sender-sign-in.ts';
import { createIntakeServer, type IntakeServer } from '../../src/intake/server.ts';
import { createLogger } from '../../src/logger.ts';
import type { Agent, AgentState } from '../../src/management-group/agent.ts';
import { type ManagementGroup, openManagementGroup } from '../../src/management-group/management-group.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { generateKeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { type AgentId, parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');

/** Another workspace of the same relay. */
export const PLANT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');
export const TOKEN_LIFE_MS = 3_600_000;
const MIB = 1024 * 1024;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

export interface RigSettings {
  readonly workspaceId?: WorkspaceId;
  readonly now?: number;
  readonly approve?: 'none' | 'all';
  readonly options?: Partial<IntakeOptions>;
  /** Options of the enrolment, as a file holds them. */
  readonly enrolment?: Readonly<Record<string, unknown>>;
  /** What data should go straight, and what becomes of it. */
  readonly direct?: DirectAtRelay;
  /** Limits of the senders' protocols. */
  readonly senders?: { readonly maxBytes?: number };
  /** Which workspaces senders of the Data Collector API may still send to. */
  readonly serves?: (workspaceId: WorkspaceId) => boolean;
  /** In place of the TLS connection's certificate. */
  readonly peer?: () => Buffer | undefined;
}

/** The relay's intake without its cache: what would be kept is in `kept` and `aside`. */
export interface IntakeRig extends AsyncDisposable {
  readonly intake: IntakeServer;
  readonly group: ManagementGroup;
  readonly clock: ManualClock;
  readonly authority: Authority;
  readonly rootPem: string;
  /** What was entered in the audit log. */
  readonly entries: AuditEvent[];
  readonly kept: Batch[];
  readonly aside: { readonly batch: Batch; readonly cause: DeadLetterCause }[];
  /** What the cache answers from now on. */
  answer(outcome: PutOutcome): void;
  /** From now on the cache has a fault. */
  breakCache(): void;
  /** Whether the workspace counts as held from now on. */
  hold(isHeld: boolean): void;
  /** Lines of the log so far, without those below `info`; `levels` chooses others. */
  lines(...levels: string[]): LogLine[];
  /** A figure as it would be scraped, such as `relay_intake_refused_total{reason="x"}`; 0 when there is none. */
  figure(name: string): Promise<number>;
}

export async function createIntakeRig(settings: RigSettings = {}): Promise<IntakeRig> {
  const { workspaceId = BANK, now = Date.now(), approve = 'all' } = settings;
  const folder = await temporaryFolder();
  const clock = createManualClock(now);
  const written: LogLine[] = [];
  const log = createLogger('debug', { write: (line: string) => void written.push(JSON.parse(line) as LogLine) });
  const metrics = createMetrics();
  const group = openManagementGroup(join(folder.path, 'group.sqlite'), { keys: openKeyRing(JSON.stringify(generateKeyRing())), clock, log });
  const authority = await openAuthority(join(folder.path, 'authority'), Date.now);
  const options = { ...intakeOptions.parse({}), address: '127.0.0.1', port: 0, ...settings.options };
  const enrolment = enrolmentOptions.parse(settings.enrolment ?? {});
  const peerOf = settings.peer ? (_request: Request): Buffer | undefined => settings.peer?.() : peerCertificate;
  const authentication = { registry: group.registry, now: clock.now, oldCertificateGraceMs: enrolment.oldCertificateGrace };
  const intake = createIntakeServer({
    options,
    identity: await authority.serverIdentity(['localhost', '127.0.0.1'], 90),
    authentication: settings.peer ? { ...authentication, peerCertificate: peerOf } : authentication,
    metrics,
    log,
  });
  const { kept, aside, keeper, answer, hold, breakCache } = fakeKeeper();
  const accept = createAccept({
    cache: keeper,
    retryEveryMs: 480_000,
    clock,
    random: (bytes) => void randomFillSync(bytes),
    metrics,
    onKept: group.registry.received,
    ...(settings.direct ? { direct: settings.direct } : {}),
    log,
  });
  const entries: AuditEvent[] = [];
  const attempts = createAttempts({ now: clock.now, perMinute: enrolment.attemptsPerMinute, badPerMinute: enrolment.badCredentialsPerMinute });
  const serves = (id: WorkspaceId): boolean => id === workspaceId;
  const maySend = (agent: Pick<Agent, 'workspaceId' | 'agentId'>): boolean => group.registry.get(agent)?.state === 'approved';
  const { maxInflatedSize, bodyTimeout, blobAddressLife } = options;
  const agentService = {
    group,
    approve,
    serves,
    options: enrolment,
    peerCertificate: peerOf,
    ownHost: 'relay.test',
    clock,
    attempts,
    audit: (event: AuditEvent) => void entries.push(event),
    metrics,
    log,
  };
  const { certificateLife, oldCertificateGrace: oldCertificateGraceMs } = enrolment;
  await intake.hapi.register([
    { plugin: agentServicePlugin, options: agentService },
    {
      plugin: estPlugin,
      options: {
        ...agentService,
        authority,
        certificateLifeMs: certificateLife,
        identifying: { ...authentication, expiredGraceMs: enrolment.expiredCertificates },
      },
    },
    { plugin: revocationListPlugin, options: { group, authority, oldCertificateGraceMs, clock } },
    { plugin: operationalDataPlugin, options: { accept, maxInflatedBytes: maxInflatedSize, bodyTimeoutMs: bodyTimeout } },
    {
      plugin: customLogFilesPlugin,
      options: { accept, maySend, clock, addressLifeMs: blobAddressLife, maxBlockBytes: maxInflatedSize, bodyTimeoutMs: bodyTimeout },
    },
    { plugin: signInPlugin, options: { ...agentService, tokenLifeMs: TOKEN_LIFE_MS } },
    { plugin: senderSignInPlugin, options: { group, certificates: authentication, attempts } },
  ]);
  const senderLimits = { accept, maxInflatedBytes: maxInflatedSize, bodyTimeoutMs: bodyTimeout, ...settings.senders };
  await intake.hapi.register([
    {
      plugin: dataCollectorPlugin,
      options: { maxBytes: 30 * MIB, ...senderLimits, group, serves: settings.serves ?? serves, attempts, clockSkewMs: 15 * 60_000, clock },
    },
    {
      plugin: logsIngestionPlugin,
      options: { maxBytes: MIB, ...senderLimits, ownerOfRule: createRuleOwners([BANK, PLANT].map((id) => ({ id, ingestion: {} }))) },
    },
  ]);
  return {
    intake,
    group,
    clock,
    authority,
    rootPem: authority.root,
    entries,
    kept,
    aside,
    answer,
    hold,
    breakCache,
    lines: (...levels) => written.filter(({ level }) => (levels.length > 0 ? levels.includes(level) : level !== 'debug')),
    async figure(name) {
      const line = (await metrics.expose()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.slice(name.length + 1));
    },
    async [Symbol.asyncDispose]() {
      await intake.stop(100);
      group.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function fakeKeeper(): Pick<IntakeRig, 'kept' | 'aside' | 'answer' | 'hold' | 'breakCache'> & { readonly keeper: Keeper } {
  const kept: Batch[] = [];
  const aside: { readonly batch: Batch; readonly cause: DeadLetterCause }[] = [];
  let outcome: PutOutcome = { outcome: 'stored' };
  let isHeld = false;
  let isBroken = false;
  const keeper: Keeper = {
    async put(batch) {
      if (isBroken) throw new Error('a fault of the relay');
      if (outcome.outcome === 'stored') kept.push(batch);
      return outcome;
    },
    async putAside(batch, cause) {
      if (outcome.outcome === 'stored') aside.push({ batch, cause });
      return outcome;
    },
    isHeld: () => isHeld,
  };
  return {
    kept,
    aside,
    keeper,
    answer(next) {
      outcome = next;
    },
    breakCache() {
      isBroken = true;
    },
    hold(held) {
      isHeld = held;
    },
  };
}

export interface EnrolledAgent {
  readonly agentId: AgentId;
  readonly identity: Identity;
  readonly der: Buffer;
}

/** An agent with a certificate of its own, of `days` days from the rig's clock, entered in this state. */
export async function enrolAgent({ group, clock }: Pick<IntakeRig, 'group' | 'clock'>, state: AgentState = 'approved', days = 90): Promise<EnrolledAgent> {
  const agentId = parseAgentId(crypto.randomUUID());
  const identity = await createAgentIdentity(BANK, agentId, clock.now(), days);
  const der = fromPem(identity.certificate);
  const certificate = readCertificate(der);
  if (!certificate) throw new Error('the certificate just made cannot be read');
  const report = { workspaceId: BANK, agentId, hostName: 'web01', operatingSystem: 'Debian 12' };
  group.registry.enrol({ ...report, certificate, enrolmentKeyId: 'test', state, stateReason: 'the test says so' });
  return { agentId, identity, der };
}

/** A TLS connection to a rig that listens. */
export async function connectTls(port: number, identity: Identity | undefined, more: ConnectionOptions = {}): Promise<TLSSocket> {
  const client = identity ? { cert: identity.certificate, key: identity.privateKey } : {};
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...client, ...more });
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything that comes until the other side ends or the connection breaks. */
export async function readAll(socket: NodeJS.ReadableStream & { on(event: 'error', listener: () => void): unknown }): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer | string) => {
    text += chunk.toString();
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.on('close', resolve));
  return text;
}

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** One request over a connection of its own. */
export function send(port: number, identity: Identity | undefined, { method = 'POST', path, headers = {}, body = '' }: Sent): Promise<Answered> {
  const client = identity ? { cert: identity.certificate, key: identity.privateKey } : {};
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ host: '127.0.0.1', port, method, path, headers, agent: false, rejectUnauthorized: false, ...client }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The code in a refusal's body. */
export function codeIn(text: string): unknown {
  return (JSON.parse(text) as { error?: { code?: unknown } }).error?.code;
}
