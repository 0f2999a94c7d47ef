import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { readSecretFile } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
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
}

/** Makes the transport to a workspace by its options. Nothing is sent before the first batch. */
export async function connectWorkspace(workspace: WorkspaceOptions, parts: ConnectParts): Promise<Transport> {
  const { id, domain, endpoint, sharedKeyFile, trustFile } = workspace;
  const { options, version, clock, log, onAnswer, opener, onPart } = parts;
  const client = createHttpClient({
    connections: options.connections,
    connectTimeoutMs: options.connectTimeout,
    requestTimeoutMs: options.requestTimeout,
    trust: trustFile === undefined ? undefined : await readFile(trustFile, 'utf8'),
  });
  const registration = createRegistration({
    workspaceId: id,
    serviceUrl: endpoint ?? `https://${id}.oms.${domain}`,
    userAgent: `Relay/${version}`,
    sharedKey: () => readSecretFile(sharedKeyFile, (message) => log.warn(message)),
    identities: createRelayIdentities(join(parts.folder, id), id, { lifeMs: options.certificateLife, now: clock.now }),
    client,
    clock,
    log,
  });
  const transport = createOperationalDataTransport({ dataUrl: endpoint ?? `https://${id}.ods.${domain}`, version, client, registration, clock, onAnswer });
  return createSplittingTransport({ transport, opener, clock, log, onPart: () => onPart(id) });
}
