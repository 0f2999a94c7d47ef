import type { CertificateEnd } from '../authority/certificate-end.ts';
import type { Batch } from '../batch/batch.ts';
import type { Deliver, Verdict } from '../batch/verdict.ts';
import type { Registry } from '../management-group/registry.ts';
import type { AuthorityStatement } from '../oms-protocol/authority-statement.ts';
import { connectWorkspace, type WorkspaceConnection } from '../upstream/connect.ts';
import { createDeliver } from '../upstream/deliver.ts';
import type { Exchange } from '../upstream/http-client.ts';
import { createTransformer } from '../upstream/logs-ingestion/transformer.ts';
import type { RoadWatch } from '../upstream/path/workspace-roads.ts';
import { createRecordOpener } from '../upstream/record-opener.ts';
import type { WorkspaceRoads } from '../workspace/road-state.ts';
import type { SignInState } from '../workspace/sign-in-state.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Building } from './building.ts';
import type { Trust } from './trust.ts';

const HALF_A_SECOND_MS = 500;

/** The relay's side towards its workspaces. */
export interface Sending {
  readonly deliver: Deliver;
  /** Has the bytes told of each part of a batch, which the cache does not see. */
  onPart(note: (workspaceId: WorkspaceId, bytes: number) => void): void;
  /** Tells the workspaces that take data straight from agents which roots and agents there are now. */
  announce(): void;
  /** By which roads data left last, and signing in. */
  roads(): Readonly<Record<WorkspaceId, WorkspaceRoads>>;
  /** How signing in fares, for workspaces that the relay signs in to. */
  signIns(): Readonly<Record<WorkspaceId, SignInState>>;
  /** The relay's own certificates at its workspaces. */
  certificates(): CertificateEnd[];
}

/** Makes the way to each workspace. Nothing is sent before the first batch or announcement. */
export async function openSending(building: Building, trust: Trust): Promise<Sending> {
  const { configuration, metrics, clock, component, inData, defer } = building;
  const { authority, group } = trust;
  const transports = new Map<WorkspaceId, WorkspaceConnection>();
  defer(async () => void (await Promise.all([...transports.values()].map((transport) => transport.close()))));
  const opener = createRecordOpener(configuration.intake.maxInflatedSize);
  defer(opener.close);
  const transformer = createTransformer();
  defer(transformer.close);
  const signIns = new Map<WorkspaceId, SignInState>();
  let notePart: Parameters<Sending['onPart']>[0] = () => {};
  const connecting = {
    options: configuration.upstream,
    folder: inData('upstream'),
    secrets: building.secrets,
    version: building.version,
    clock,
    log: component('upstream'),
    onExchange: exchangeWatch(building),
    opener,
    onPart: (workspace: WorkspaceId, bytes: number): void => {
      metrics.count('upstreamParts', { workspace });
      notePart(workspace, bytes);
    },
    statementFor: statements(building, trust),
    roadWatch: roadWatch(building),
    onSignIn: (workspace: WorkspaceId, state: SignInState): void => {
      signIns.set(workspace, state);
      noteSignIn(building, workspace, state);
    },
    ingestion: {
      transformer,
      maxInflatedBytes: configuration.intake.maxInflatedSize,
      relayName: configuration.domain,
      onRequest: (workspace: WorkspaceId, { outcome, fill }: { readonly outcome: string; readonly fill: number }): void => {
        metrics.count('ingestionRequests', { workspace, outcome });
        metrics.observe('ingestionFill', { workspace }, fill);
      },
      onRecords: (workspace: WorkspaceId, records: number): void => metrics.count('deliveredRecords', { workspace }, records),
    },
  };
  for (const workspace of configuration.workspaces) transports.set(workspace.id, await connectWorkspace(workspace, connecting));

  const announce = (): void => {
    for (const transport of transports.values()) transport.announce();
  };
  defer(authority.onChange(announce));
  group.registry.onStanding(announce);
  return {
    deliver: createDeliver({ transports, onVerdict: verdictWatch(building), log: component('upstream') }),
    onPart(note) {
      notePart = note;
    },
    announce,
    roads: () => roadsOf(transports),
    signIns: () => Object.fromEntries(signIns),
    certificates: () =>
      [...transports].flatMap(([workspaceId, transport]) => {
        const endsAt = transport.certificateEndsAt();
        return endsAt === undefined ? [] : [{ role: 'upstream', workspaceId, endsAt }];
      }),
  };
}

function verdictWatch({ metrics, tracer }: Building): (batch: Batch, verdict: Verdict, ms: number) => void {
  return (batch, verdict, ms) => {
    const { outcome } = verdict;
    metrics.count('upstreamAttempts', { workspace: batch.workspaceId, outcome });
    tracer?.finished(batch, { step: 'send', ms, outcome, failure: failureOf(verdict) });
  };
}

function failureOf(verdict: Verdict): string | undefined {
  if (verdict.outcome === 'retry') return verdict.reason;
  return verdict.outcome === 'refused' ? `${verdict.status}: ${verdict.answer}` : undefined;
}

function exchangeWatch({ metrics, clock }: Building): (workspace: WorkspaceId, exchange: Exchange) => void {
  return (workspace, { status, seconds, date }) => {
    metrics.count('upstreamResponses', { workspace, code: String(status ?? 'none') });
    if (status !== undefined) metrics.observe('upstreamSeconds', { workspace }, seconds);
    const theirs = Date.parse(date ?? '');
    // Theirs is cut off to the second.
    if (Number.isFinite(theirs)) metrics.set('clockOffset', { workspace }, Math.round((clock.now() - theirs - HALF_A_SECOND_MS) / 1000));
  };
}

function roadWatch({ metrics }: Building): RoadWatch {
  return {
    verified: (workspace, path, at) => metrics.set('pathVerified', { workspace, path }, at / 1000),
    refused: (workspace, path, reason) => metrics.count('pathRefused', { workspace, path, reason }),
  };
}

function noteSignIn({ metrics }: Building, workspace: WorkspaceId, { endsAt, secretEndsAt, lastError }: SignInState): void {
  metrics.set('signInFailing', { workspace }, lastError === undefined ? 0 : 1);
  metrics.set('signInEnds', { workspace, of: 'token' }, (endsAt ?? 0) / 1000);
  if (secretEndsAt !== undefined) metrics.set('signInEnds', { workspace, of: 'credential' }, secretEndsAt / 1000);
}

function roadsOf(transports: ReadonlyMap<WorkspaceId, WorkspaceConnection>): Record<WorkspaceId, WorkspaceRoads> {
  return Object.fromEntries([...transports].map(([id, transport]) => [id, transport.roads()]));
}

function statements({ configuration }: Building, { authority, group }: Trust): (id: WorkspaceId) => AuthorityStatement {
  const trusting = new Set(configuration.workspaces.filter(({ direct }) => direct.credential === 'certificate').map(({ id }) => id));
  return (id) => (trusting.has(id) ? { roots: authority.roots().trusted, agents: approvedIn(group.registry, id) } : { roots: [], agents: [] });
}

function approvedIn(registry: Registry, workspaceId: WorkspaceId): AgentId[] {
  return registry.list().flatMap((agent) => (agent.workspaceId === workspaceId && agent.state === 'approved' ? [agent.agentId] : []));
}
