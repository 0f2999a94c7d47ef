import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import type { Identity } from '../authority/agent-identity.ts';
import { type Authority, openAuthority } from '../authority/authority.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { openOutsides } from './assembly/exporting.ts';
import { openKeyHouse, openWorkspaces } from './assembly/hosting.ts';
import { openGuard, openProtecting } from './assembly/protecting.ts';
import { incidentOfRefusal } from './assembly/telling.ts';
import { openControl } from './control/control.ts';
import { createInspection, type Inspected, type Inspection } from './control/inspection.ts';
import { createFaults, type Faults } from './faults/faults.ts';
import { createGate, type Gate } from './faults/gate.ts';
import type { WrittenDeclaration } from './intake/ingestion/declaration.ts';
import { createDirectory } from './intake/ingestion/directory.ts';
import { openTokens } from './intake/ingestion/tokens.ts';
import { createPeerOf } from './intake/peer.ts';
import { createService, type MetRefusal } from './service.ts';
import { type LocalWorkspaceSettings, readSettings } from './settings.ts';

const SERVER_CERTIFICATE_DAYS = 90;
const CERTIFICATE_CHECK_MS = 12 * 3_600_000;
const STOP_GRACE_MS = 2_000;
const MAX_CONNECTIONS = 4_096;

export interface LocalWorkspaceOptions {
  /** Everything it keeps: authority, databases, control socket. Made if it is not there. */
  readonly dataFolder: string;
  readonly address: string;
  /** 0 lets the operating system choose; it stays the same until `stop`. */
  readonly port: number;
  /** DNS names and addresses for the server certificate, at least one. */
  readonly names: readonly string[];
  /** `key` is the workspace's shared key, in base64. */
  readonly workspaces: readonly { readonly id: WorkspaceId; readonly key: string }[];
  /** How data is kept, and whom incidents are told to; the defaults where it is left out. */
  readonly settings?: LocalWorkspaceSettings | undefined;
  /** Count data in memory instead of keeping it, for measuring. */
  readonly sink?: boolean;
  /** Who may sign in for Logs Ingestion, and the rules there are; nobody and none when it is left out. */
  readonly ingestion?: WrittenDeclaration | undefined;
}

export interface Listening {
  readonly port: number;
  /** Such as `https://localhost:9443`, with the first of the names. */
  readonly url: string;
  /** PEM of the root certificate that senders must trust, and its file. */
  readonly rootPem: string;
  readonly rootPath: string;
}

/** Our stand-in for the cloud service. Everything but `start` and `stop` needs it to run, and throws `relay.local-workspace.not-running` otherwise. */
export interface LocalWorkspace extends Inspection {
  start(): Promise<Listening>;
  /** Requests in progress get two seconds. Safe to call twice. */
  stop(): Promise<void>;
}

export interface LocalWorkspaceDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

interface Running extends Inspected {
  readonly listening: Listening;
  readonly stop: () => Promise<void>;
}

export function createLocalWorkspace(options: LocalWorkspaceOptions, deps: LocalWorkspaceDeps): LocalWorkspace {
  let running: Running | undefined;
  const inspection = createInspection(() => running ?? notRunning());
  return {
    ...inspection,
    async start() {
      running ??= await run(options, deps, inspection);
      return running.listening;
    },
    async stop() {
      const stopping = running;
      running = undefined;
      await stopping?.stop();
    },
  };
}

async function run(options: LocalWorkspaceOptions, deps: LocalWorkspaceDeps, inspection: Inspection): Promise<Running> {
  await using parts = new AsyncDisposableStack();
  const { dataFolder, settings = readSettings({}), sink = false } = options;
  await makePrivateFolder(dataFolder);
  // First, for it tells whether another process has this folder.
  const control = await openControl(dataFolder, inspection, deps.log);
  parts.defer(() => control.close());
  const authority = await openAuthority(join(dataFolder, 'authority'), deps.clock.now);
  const guard = await openGuard({ ...deps, dataFolder, settings, workspaceIds: options.workspaces.map(({ id }) => id) }, parts);
  const { providerOf, renewServiceKey } = openKeyHouse({ ...deps, dataFolder }, parts);
  const workspaces = await openWorkspaces({ ...deps, dataFolder, workspaces: options.workspaces, settings, sink, guard, providerOf }, parts);
  const outsides = await openOutsides({ ...deps, dataFolder, workspaces, settings, providerOf }, parts);
  const protecting = openProtecting({ ...deps, guard, workspaces, settings, outsides, renewServiceKey }, parts);
  const directory = createDirectory([...workspaces.keys()], options.ingestion);
  const tokens = await openTokens(dataFolder);
  const listener = await createListener(authority, options.names, deps, parts);
  const gate = createGate(listener, options, deps.clock);
  const faults = createFaults(gate.apply);
  const onRefusal = (met: MetRefusal): void => guard.report(incidentOfRefusal(met));
  const parties = { workspaces, faults, directory, tokens, peerOf: createPeerOf(), more: protecting.service, onRefusal };
  const service = await createService({ ...deps, ...parties }, listener);
  parts.defer(() => service.stop());
  await control.add(protecting.control);
  const port = await gate.open();
  parts.defer(() => closeGate(gate, faults));
  const listening = {
    port,
    url: `https://${options.names[0] ?? options.address}:${port}`,
    rootPem: authority.root,
    rootPath: join(dataFolder, 'authority', 'root.pem'),
  };
  deps.log.info({ port, workspaces: [...workspaces.keys()] }, 'local workspace started');
  const running = parts.move();
  return { workspaces, faults, directory, listening, stop: () => running.disposeAsync() };
}

async function createListener(authority: Authority, names: readonly string[], deps: LocalWorkspaceDeps, parts: AsyncDisposableStack): Promise<Server> {
  const current = async (): Promise<Identity> => await authority.serverIdentity(names, SERVER_CERTIFICATE_DAYS);
  const { certificate, privateKey } = await current();
  const listener = createServer({
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    // Agents' certificates are self-signed: they are asked for here, and compared with the registered ones (§1.2).
    requestCert: true,
    rejectUnauthorized: false,
  });
  listener.maxConnections = MAX_CONNECTIONS;
  const renew = async (): Promise<void> => {
    try {
      const next = await current();
      listener.setSecureContext({ cert: next.certificate, key: next.privateKey, minVersion: 'TLSv1.2' });
    } catch (cause) {
      deps.log.warn({ reason: messageOf(cause) }, 'the server certificate could not be renewed; trying again in 12 hours');
    }
  };
  parts.defer(every(deps.clock, CERTIFICATE_CHECK_MS, renew));
  return listener;
}

async function closeGate(gate: Gate, faults: Faults): Promise<void> {
  const closed = gate.close(STOP_GRACE_MS);
  // Requests that hang are let go.
  await faults.set({ mode: 'none' });
  await closed;
}

function notRunning(): never {
  throw new RelayError('relay.local-workspace.not-running', 'The local workspace is not running. Start it first.');
}
