import type { Server as HttpsServer } from 'node:https';
import { server as createServer, type Plugin, type Request, type Server } from '@hapi/hapi';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { faultInjection } from './faults/fault-injection.ts';
import type { Faults } from './faults/faults.ts';
import type { HostedWorkspaces } from './hosted-workspace.ts';
import { agentService } from './intake/agent-service.ts';
import { dataService } from './intake/data-service.ts';
import type { Directory } from './intake/ingestion/directory.ts';
import { ingestionService } from './intake/ingestion/ingestion-service.ts';
import { tokenService } from './intake/ingestion/token-service.ts';
import type { Tokens } from './intake/ingestion/tokens.ts';
import type { PeerOf } from './intake/peer.ts';
import { type Refusal, refusalOf, shapeRefusal } from './replies.ts';
import { ruleOf } from './service-path.ts';

export interface ServiceDeps {
  readonly workspaces: HostedWorkspaces;
  readonly peerOf: PeerOf;
  readonly faults: Faults;
  readonly directory: Directory;
  readonly tokens: Tokens;
  /** Told of every request that was refused, once it is answered. */
  readonly onRefusal?: (met: MetRefusal) => void;
  /** Further plugins. */
  readonly more?: readonly Plugin<void>[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** A request that was refused: by which workspace, as far as the sender says so, and from where it came. */
export interface MetRefusal {
  readonly refusal: Refusal;
  readonly workspaceId: WorkspaceId | undefined;
  readonly from: string;
}

/** The service's paths on a listener, which somebody else opens and closes. Without one it answers `inject` alone. */
export async function createService(deps: ServiceDeps, listener?: HttpsServer): Promise<Server> {
  const service = createServer({
    ...(listener ? { listener, tls: true, autoListen: false } : {}),
    // The gate knows the connections.
    operations: { cleanStop: false },
    // Senders differ in how they spell paths.
    router: { isCaseSensitive: false },
    compression: false,
    debug: false,
  });
  service.events.on({ name: 'request', channels: 'error' }, (request, event) => {
    deps.log.error({ err: event.error, path: request.path }, 'a request failed');
  });
  service.ext('onPreResponse', shapeRefusal);
  service.events.on('response', (request) => {
    const refusal = refusalOf(request);
    if (refusal) deps.onRefusal?.({ refusal, workspaceId: claimed(deps, request), from: request.info.remoteAddress });
  });
  await service.register([faultInjection(deps), agentService(deps), dataService(deps), tokenService(deps), ingestionService(deps), ...(deps.more ?? [])]);
  // A service that was only initialised would end each connection after its first answer.
  await (listener ? service.start() : service.initialize());
  return service;
}

function claimed({ peerOf, directory }: ServiceDeps, { path, raw }: Request): WorkspaceId | undefined {
  const rule = ruleOf(path);
  return rule === undefined ? peerOf(raw.req)?.workspaceId : directory.rule(rule)?.workspace;
}
