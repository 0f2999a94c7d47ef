import type { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import type { OnboardingKey } from '../oms-protocol/onboarding.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Replicating } from './assembly/replicating.ts';
import type { Authorities } from './intake/authorities.ts';
import type { Certificates } from './intake/certificates.ts';
import type { TableRow, Tables } from './intake/ingestion/call.ts';
import type { TableReader } from './intake/ingestion/table-reader.ts';
import type { RowFilter } from './intake/ingestion/table-rows.ts';
import type { Peer } from './intake/peer.ts';
import type { ReceiptReader } from './intake/receipt-reader.ts';
import type { Receipts } from './intake/receipts.ts';
import type { StoredRecords } from './intake/stored-records.ts';
import type { Intake } from './intake/upload.ts';
import type { WorkspaceKeys } from './keys/workspace-keys.ts';
import type { Refusal } from './replies.ts';
import type { Stage } from './staging/stage.ts';
import type { SealerOf } from './tables/file-sealer.ts';

/** A workspace that this process stands in for. */
export interface HostedWorkspace {
  readonly id: WorkspaceId;
  readonly keys: readonly OnboardingKey[];
  readonly certificates: Certificates;
  readonly authorities: Authorities;
  readonly intake: Intake;
  readonly receipts: ReceiptReader & Pick<Receipts, 'hasRestored'>;
  readonly records: StoredRecords;
  /** What comes by Logs Ingestion. */
  readonly tables: Tables;
  readonly tableReader: TableReader;
  rows(filter: RowFilter): Promise<readonly TableRow[]>;
  /** Where its data is; none in a workspace that only counts. */
  readonly stage: Stage | undefined;
  readonly dataKey: WorkspaceKeys | undefined;
  /** Seals under the workspace's key; throws `relay.local-workspace.key-unavailable` while that is not there. */
  readonly sealerOf: SealerOf;
  /** Its second copy, where it has one. */
  readonly replica?: Pick<Replicating, 'folder' | 'state' | 'verify' | 'registrations' | 'registrationsCopied'> | undefined;
  /** Who may send, what was taken, and how long it stays. */
  readonly register: DatabaseSync;
  close(): Promise<void>;
}

/** The workspaces of this process, by id. */
export type HostedWorkspaces = ReadonlyMap<WorkspaceId, HostedWorkspace>;

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
