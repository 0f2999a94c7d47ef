import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { readSecretFile } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { AuthorityStatement } from '../oms-protocol/authority-statement.ts';
import { type OwnSecrets, plainSecrets } from '../own-secrets.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { WorkspaceRoads } from '../workspace/road-state.ts';
import type { SignInState } from '../workspace/sign-in-state.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { createAuthorityRegistration } from './authority-registration.ts';
import { createHttpClient, type Exchange } from './http-client.ts';
import { connectIngestion } from './logs-ingestion/connect-ingestion.ts';
import type { Transformer } from './logs-ingestion/transformer.ts';
import { createOperationalDataTransport } from './operational-data.ts';
import type { UpstreamOptions } from './options.ts';
import { createRoads, type RoadWatch } from './path/workspace-roads.ts';
import type { RecordOpener } from './record-opener.ts';
import { createRegistration } from './registration.ts';
import { createRelayIdentities } from './relay-identity.ts';
import { createSignIn } from './sign-in/sign-in.ts';
import { createSplittingTransport } from './splitting.ts';
import type { Transport } from './transport.ts';

export interface ConnectParts {
  readonly options: UpstreamOptions;
  /** Where the relay's identities for its workspaces are kept, a folder each. */
  readonly folder: string;
  /** How they are kept there: plain unless told. */
  readonly secrets?: OwnSecrets;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each request to a workspace, once it is over. */
  readonly onExchange: (workspaceId: WorkspaceId, exchange: Exchange) => void;
  readonly opener: RecordOpener;
  /** Told of each part of a batch that is offered, with the length of its body. */
  readonly onPart: (workspaceId: WorkspaceId, bytes: number) => void;
  /** Whose certificates a workspace may trust, and which agents may send straight to it; no root when none may. */
  readonly statementFor: (workspaceId: WorkspaceId) => AuthorityStatement;
  readonly roadWatch: RoadWatch;
  /** Told whenever signing in to a workspace has changed. */
  readonly onSignIn?: (workspaceId: WorkspaceId, state: SignInState) => void;
  readonly ingestion: IngestionConnectParts;
}

/** What the protocol `logs-ingestion` needs beside. */
export interface IngestionConnectParts {
  readonly transformer: Transformer;
  /** Bounds an inflated body. */
  readonly maxInflatedBytes: number;
  /** What RelayName says. */
  readonly relayName: string;
  /** Told of each request, what became of it, and which part of the largest size it had. */
  readonly onRequest: (workspaceId: WorkspaceId, request: { readonly outcome: string; readonly fill: number }) => void;
  /** Told of records that a workspace took. */
  readonly onRecords: (workspaceId: WorkspaceId, records: number) => void;
}

/** The way to a workspace. */
export interface WorkspaceConnection extends Transport {
  /** The roots or the agents may have changed: the workspace is told, if it takes data straight from agents. */
  announce(): void;
  /** The roads it takes, as they were last taken. */
  roads(): WorkspaceRoads;
  /** When the relay's own certificate there ends, in milliseconds since 1970; undefined where there is none. */
  certificateEndsAt(): number | undefined;
}

/** Makes the transport to a workspace by its options. Nothing is sent before the first batch. */
export async function connectWorkspace(workspace: WorkspaceOptions, parts: ConnectParts): Promise<WorkspaceConnection> {
  const { id, domain, endpoint, sharedKeyFile, trustFile } = workspace;
  const { options, version, clock, log, opener, onPart } = parts;
  const ofWorkspace = log.child({ workspaceId: id });
  const roads = await createRoads(workspace, { clock, log: ofWorkspace, watch: parts.roadWatch });
  const client = createHttpClient({
    connections: options.connections,
    connectTimeoutMs: options.connectTimeout,
    requestTimeoutMs: options.requestTimeout,
    trust: trustFile === undefined ? undefined : await readFile(trustFile, 'utf8'),
    road: roads.data,
    onExchange: (exchange) => parts.onExchange(id, exchange),
  });
  if (workspace.protocol === 'logs-ingestion') {
    const { ingestion } = parts;
    const transport = connectIngestion({
      ...parts,
      ...ingestion,
      log: ofWorkspace,
      options: workspace.ingestion,
      client,
      tokens: createSignIn(workspace.ingestion.signIn, {
        road: roads.signIn,
        clock,
        log: ofWorkspace,
        onState: (state) => parts.onSignIn?.(id, state),
      }),
      connections: options.connections,
      offersInFlight: workspace.ingestion.groupsInFlight,
      onPart: (bytes) => onPart(id, bytes),
      onRequest: (request) => ingestion.onRequest(id, request),
      onRecords: (records) => ingestion.onRecords(id, records),
    });
    return { ...transport, announce: () => {}, roads: roads.describe, certificateEndsAt: () => undefined, close: () => transport.close().finally(roads.close) };
  }
  const folder = join(parts.folder, id);
  const service = { workspaceId: id, serviceUrl: endpoint ?? `https://${id}.oms.${domain}`, userAgent: `Relay/${version}`, client, clock, log };
  const registration = createRegistration({
    ...service,
    sharedKey: () => readSecretFile(sharedKeyFile ?? '', (message) => ofWorkspace.warn(message)),
    identities: createRelayIdentities(folder, id, { lifeMs: options.certificateLife, now: clock.now, secrets: parts.secrets ?? plainSecrets }),
    onRegistered: () => authorities.registered(),
  });
  const authorities = createAuthorityRegistration({ ...service, registration, folder, statement: () => parts.statementFor(id) });
  const transport = createOperationalDataTransport({ dataUrl: endpoint ?? `https://${id}.ods.${domain}`, version, client, registration, clock });
  const splitting = createSplittingTransport({ transport, opener, clock, log, onPart: (bytes) => onPart(id, bytes) });
  return {
    ...splitting,
    announce: authorities.changed,
    roads: roads.describe,
    certificateEndsAt: registration.certificateEndsAt,
    async close() {
      authorities.close();
      await splitting.close();
      roads.close();
    },
  };
}
