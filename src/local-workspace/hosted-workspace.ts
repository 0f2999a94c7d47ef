import { RelayError } from '../errors.ts';
import type { OnboardingKey } from '../oms-protocol/onboarding.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { type Certificates, openCertificates, type Registration } from './certificates.ts';
import { openDatabase } from './database.ts';
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
  readonly intake: Intake;
  readonly reader: StoreReader;
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
    intake: sink ? createSink(id) : createStore(database, id),
    reader: createStoreReader(database, id),
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

export type Authentication =
  | { readonly known: true; readonly workspace: HostedWorkspace; readonly registration: Registration; readonly peer: Peer }
  | { readonly known: false; readonly refusal: Refusal };

/** Finds whose certificate this is. The workspace is the one the certificate names, and only that workspace's own registrations count. */
export function authenticate(workspaces: HostedWorkspaces, peer: Peer | undefined, now: number): Authentication {
  if (!peer) return forbidden('MissingCertificate', 'The TLS connection has no client certificate. Send with the one that was onboarded.');
  const workspace = peer.workspaceId && workspaces.get(peer.workspaceId);
  const registration = workspace?.certificates.find(peer.fingerprint);
  if (!workspace || !registration) {
    return forbidden(
      'UnknownCertificate',
      `Certificate ${peer.fingerprint.slice(0, 16)}… is not registered with a workspace here. Onboard it with the workspace's key.`,
    );
  }
  if (now > peer.notAfter) {
    return forbidden('CertificateExpired', `The certificate expired on ${new Date(peer.notAfter).toISOString()}. Make a new one and onboard it.`);
  }
  return { known: true, workspace, registration, peer };
}

function forbidden(code: string, message: string): Authentication {
  return { known: false, refusal: { status: 403, code, message } };
}
