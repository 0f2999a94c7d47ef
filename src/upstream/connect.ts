import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { readSecretFile } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { AuthorityStatement } from '../oms-protocol/authority-statement.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { createAuthorityRegistration } from './authority-registration.ts';
import { createHttpClient } from './http-client.ts';
import { createOperationalDataTransport } from './operational-data.ts';
import type { UpstreamOptions } from './options.ts';
import type { RecordOpener } from './record-opener.ts';
import { createRegistration } from './registration.ts';
import { createRelayIdentities } from './relay-identity.ts';
import { createSplittingTransport } from './splitting.ts';
import type { Transport } from './transport.ts';

export interface ConnectParts {
  readonly options: UpstreamOptions;
  /** Where the relay's identities for its workspaces are kept, a folder each. */
  readonly folder: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told how long each answer took, in seconds. */
  readonly onAnswer: (seconds: number) => void;
  readonly opener: RecordOpener;
  /** Told of each part of a batch that is offered. */
  readonly onPart: (workspaceId: WorkspaceId) => void;
  /** Whose certificates a workspace may trust, and which agents may send straight to it; no root when none may. */
  readonly statementFor: (workspaceId: WorkspaceId) => AuthorityStatement;
}

/** The way to a workspace. */
export interface WorkspaceConnection extends Transport {
  /** The roots or the agents may have changed: the workspace is told, if it takes data straight from agents. */
  announce(): void;
}

/** Makes the transport to a workspace by its options. Nothing is sent before the first batch. */
export async function connectWorkspace(workspace: WorkspaceOptions, parts: ConnectParts): Promise<WorkspaceConnection> {
  const { id, domain, endpoint, sharedKeyFile, trustFile } = workspace;
  const { options, version, clock, log, onAnswer, opener, onPart } = parts;
  const client = createHttpClient({
    connections: options.connections,
    connectTimeoutMs: options.connectTimeout,
    requestTimeoutMs: options.requestTimeout,
    trust: trustFile === undefined ? undefined : await readFile(trustFile, 'utf8'),
  });
  const folder = join(parts.folder, id);
  const service = { workspaceId: id, serviceUrl: endpoint ?? `https://${id}.oms.${domain}`, userAgent: `Relay/${version}`, client, clock, log };
  const registration = createRegistration({
    ...service,
    sharedKey: () => readSecretFile(sharedKeyFile, (message) => log.warn(message)),
    identities: createRelayIdentities(folder, id, { lifeMs: options.certificateLife, now: clock.now }),
    onRegistered: () => authorities.registered(),
  });
  const authorities = createAuthorityRegistration({ ...service, registration, folder, statement: () => parts.statementFor(id) });
  const transport = createOperationalDataTransport({ dataUrl: endpoint ?? `https://${id}.ods.${domain}`, version, client, registration, clock, onAnswer });
  const splitting = createSplittingTransport({ transport, opener, clock, log, onPart: () => onPart(id) });
  return {
    ...splitting,
    announce: authorities.changed,
    async close() {
      authorities.close();
      await splitting.close();
    },
  };
}
