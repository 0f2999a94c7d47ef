/** hapi plugin: the operator's side, on a Unix socket that only its owner may open (mode 0600). Nothing here is reachable from the network. */
import type { Plugin, Request } from '@hapi/hapi';
import type { EnterAudit } from '../audit/entry.ts';
import type { Cache } from '../cache/cache.ts';
import type { DeadLetters } from '../cache/dead-letters.ts';
import type { LossLedger } from '../cache/loss.ts';
import type { CacheOperations } from '../cache/operations.ts';
import { type ErrorCode, messageOf, RelayError } from '../errors.ts';
import type { Incidents } from '../incidents/incidents.ts';
import type { Logger } from '../logger.ts';
import type { Agent } from '../management-group/agent.ts';
import type { AgentGroup } from '../management-group/groups.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import type { Routing } from '../routing/routing.ts';
import type { KeyRotation } from '../workspace/key-rotation.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { agentsRoutes } from './agents-routes.ts';
import type { Status } from './api.ts';
import { auditRoutes, type ReadAudit } from './audit-routes.ts';
import { type AuthorityControl, authorityRoutes } from './authority-routes.ts';
import { type BackupControl, backupRoutes } from './backup-routes.ts';
import { cacheRoutes } from './cache-routes.ts';
import { deadLettersRoutes } from './dead-letters-routes.ts';
import { enrolmentRoutes } from './enrolment-routes.ts';
import { concernsGroup, groupRoutes, mustDecideHere, type RelayGroupControl } from './group-routes.ts';
import { incidentsRoutes } from './incidents-routes.ts';
import { keysRoutes } from './keys-routes.ts';
import { lossesRoutes } from './losses-routes.ts';
import { type SenderPlaces, sendersRoutes } from './senders-routes.ts';
import { solutionsRoutes } from './solutions-routes.ts';
import { type SupportControl, supportRoutes } from './support-routes.ts';

export interface ControlPluginOptions {
  readonly group: ManagementGroup;
  readonly groups: readonly AgentGroup[];
  /** Ends an agent's connections that carry no request at this moment. */
  readonly disconnect: (agent: Agent) => void;
  readonly now: () => number;
  readonly deadLetters: DeadLetters;
  /** Puts a batch on its normal way: what is sent again goes there. */
  readonly put: Cache['put'];
  readonly losses: Pick<LossLedger, 'list'>;
  readonly incidents: Pick<Incidents, 'list' | 'show' | 'change'>;
  readonly operations: CacheOperations;
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  readonly status: () => Status;
  readonly keys: KeyRotation;
  readonly authority: AuthorityControl;
  /** The group of relays that this one belongs to, or may begin. */
  readonly relayGroup: RelayGroupControl;
  readonly routing: Routing;
  /** Workspaces that agents reach without the relay. */
  readonly directWorkspaces: readonly WorkspaceId[];
  /** Enters what operators do. */
  readonly audit: EnterAudit;
  readonly readAudit: ReadAudit;
  readonly support: SupportControl;
  readonly backup: BackupControl;
  /** How senders reach this relay. */
  readonly senderPlaces: SenderPlaces;
  /** A workspace by its id or its configured name. */
  readonly workspaceNamed: (name: string) => WorkspaceId | undefined;
  readonly log: Logger;
}

export const controlPlugin: Plugin<ControlPluginOptions> = {
  name: 'control',
  register(
    server,
    {
      group,
      groups,
      disconnect,
      now,
      deadLetters,
      put,
      losses,
      incidents,
      operations,
      serves,
      status,
      keys,
      authority,
      relayGroup,
      routing,
      directWorkspaces,
      audit,
      readAudit,
      support,
      backup,
      senderPlaces,
      workspaceNamed,
      log,
    },
  ) {
    server.route([
      { method: 'GET', path: '/status', handler: () => status() },
      ...agentsRoutes({ registry: group.registry, heardElsewhere: relayGroup.heardElsewhere, groups, serves, disconnect, now, audit, log }),
      ...enrolmentRoutes({ group, serves, audit, log }),
      ...sendersRoutes({ senders: group.senders, workspaceNamed, places: senderPlaces, audit, log }),
      ...deadLettersRoutes({ deadLetters, put, audit, log }),
      ...keysRoutes(keys, audit),
      ...authorityRoutes({ ...authority, registry: group.registry, serves, audit }),
      ...solutionsRoutes({ routing, directWorkspaces, audit, log }),
      ...groupRoutes(relayGroup, audit),
      ...lossesRoutes(losses),
      ...incidentsRoutes(incidents, audit),
      ...auditRoutes(readAudit),
      ...supportRoutes(support, audit),
      ...backupRoutes(backup, audit),
      ...cacheRoutes({ operations, serves, audit, log }),
    ]);
    server.ext('onPreHandler', (request, h) => {
      if (concernsGroup(request)) mustDecideHere(request, relayGroup, audit);
      return h.continue;
    });
    server.ext('onPreResponse', (request, h) => {
      const { response } = request;
      if (!('isBoom' in response)) return h.continue;
      const { statusCode } = response.output;
      const own = response instanceof RelayError;
      const error = asRelayError(response, statusCode, request);
      if (error.code === 'relay.internal') log.error({ path: request.path, err: response }, 'a command failed');
      const status = own ? statusOf(error.code) : statusCode;
      return h.response({ error: { code: error.code, message: error.message } }).code(status);
    });
  },
};

function asRelayError(thrown: Error, status: number, { method, path }: Request): RelayError {
  if (thrown instanceof RelayError) return thrown;
  if (status === 404)
    return new RelayError('relay.control.not-found', `This relay does not know the command ${method.toUpperCase()} ${path}. Use the same release for both.`);
  return new RelayError(status < 500 ? 'relay.control.bad-request' : 'relay.internal', messageOf(thrown));
}

function statusOf(code: ErrorCode): number {
  if (code === 'relay.group.not-primary') return 409;
  return code === 'relay.control.not-found' ? 404 : 400;
}
