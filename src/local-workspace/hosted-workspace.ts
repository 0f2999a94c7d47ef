import { RelayError } from '../errors.ts';
import type { OnboardingKey } from '../oms-protocol/onboarding.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import { type Authorities, openAuthorities } from './authorities.ts';
import { type Certificates, openCertificates } from './certificates.ts';
import { openDatabase } from './database.ts';
import type { Tables } from './ingestion/call.ts';
import { createTableReader, type TableReader } from './ingestion/table-reader.ts';
import { createTableSink } from './ingestion/table-sink.ts';
import { createTableStore } from './ingestion/table-store.ts';
import type { Peer } from './peer.ts';
import type { Refusal } from './replies.ts';
import { createSink } from './sink.ts';
import { createStore } from './store.ts';
import { createStoreReader, type StoreReader } from './store-reader.ts';
import type { Intake } from './upload.ts';
import { readWorkspaceKey } from './workspace-key.ts';

/** A workspace that this process stands in for. */
export interface HostedWorkspace {
  readonly id: WorkspaceId;
  readonly keys: readonly OnboardingKey[];
  readonly certificates: Certificates;
  readonly authorities: Authorities;
  readonly intake: Intake;
  readonly reader: StoreReader;
  /** What comes by Logs Ingestion. */
  readonly tables: Tables;
  readonly tableReader: TableReader;
  close(): void;
}

export interface HostedWorkspaceOptions {
  readonly dataFolder: string;
  readonly id: WorkspaceId;
  /** The workspace's shared key, in base64. */
  readonly key: string;
  /** Count data instead of keeping it. */
  readonly sink: boolean;
}

/** The workspaces of this process, by id. */
export type HostedWorkspaces = ReadonlyMap<WorkspaceId, HostedWorkspace>;

/** Opens a workspace's database and what lies on it. Throws `relay.local-workspace.bad-key` or `relay.local-workspace.database-unusable`. */
export async function openHostedWorkspace({ dataFolder, id, key, sink }: HostedWorkspaceOptions): Promise<HostedWorkspace> {
  const keys = [{ id: 'shared-key', key: readWorkspaceKey(key) }];
  const database = await openDatabase(dataFolder, id);
  return {
    id,
    keys,
    certificates: openCertificates(database),
    authorities: openAuthorities(database),
    intake: sink ? createSink(id) : createStore(database, id),
    reader: createStoreReader(database, id),
    tables: sink ? createTableSink(id) : createTableStore(database, id),
    tableReader: createTableReader(database, id),
    close: () => database.close(),
  };
}

/** The workspace of that id. Throws `relay.local-workspace.unknown-workspace`. */
export function hostedWorkspace(workspaces: HostedWorkspaces, id: WorkspaceId): HostedWorkspace {
  const workspace = workspaces.get(id);
  if (workspace) return workspace;
  throw new RelayError(
    'relay.local-workspace.unknown-workspace',
    `Workspace ${id} is not one of this local workspace, which has ${[...workspaces.keys()].join(', ') || 'none'}. Name one of these, or start it with --workspace ${id}.`,
  );
}

/** An agent that may send. `certificate`: this certificate is registered here · `authority`: a relay that is registered here answers for it. */
export interface Known {
  readonly known: true;
  readonly by: 'certificate' | 'authority';
  readonly workspace: HostedWorkspace;
  readonly agentId: AgentId;
  readonly peer: Peer;
}

export type Authentication = Known | { readonly known: false; readonly refusal: Refusal };

/**
 * Finds whose certificate this is. The workspace is the one the certificate names, and only that workspace's own registrations and
 * authorities count.
 */
export function authenticate(workspaces: HostedWorkspaces, peer: Peer | undefined, now: number): Authentication {
  if (!peer) return forbidden('MissingCertificate', 'The TLS connection has no client certificate. Send with the one that was onboarded.');
  const workspace = peer.workspaceId && workspaces.get(peer.workspaceId);
  const found = workspace && find(workspace, peer, now);
  if (!workspace || !found) {
    return forbidden(
      'UnknownCertificate',
      `Certificate ${peer.fingerprint.slice(0, 16)}… is not registered with a workspace here. Onboard it with the workspace's key.`,
    );
  }
  if (now > peer.notAfter) {
    return forbidden('CertificateExpired', `The certificate expired on ${new Date(peer.notAfter).toISOString()}. Make a new one and onboard it.`);
  }
  if (!found.letIn) {
    return forbidden(
      'AgentNotLetIn',
      `The relay that answers for agent ${found.agentId} does not let it send. Look at it there: relay agents show ${found.agentId}`,
    );
  }
  return { known: true, by: found.by, workspace, agentId: found.agentId, peer };
}

function find(workspace: HostedWorkspace, peer: Peer, now: number): (Pick<Known, 'by' | 'agentId'> & { readonly letIn: boolean }) | undefined {
  const registration = workspace.certificates.find(peer.fingerprint);
  if (registration) return { by: 'certificate', agentId: registration.agentId, letIn: true };
  const judged = workspace.authorities.judge(peer, now);
  return judged.standing === 'unknown' ? undefined : { by: 'authority', agentId: judged.agentId, letIn: judged.standing === 'accepted' };
}

function forbidden(code: string, message: string): Authentication {
  return { known: false, refusal: { status: 403, code, message } };
}
