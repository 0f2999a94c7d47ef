/** What stands around the workspaces: who may do what, what was done, what went wrong, how long rows stay. */
import { randomFillSync, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Plugin, ServerRoute } from '@hapi/hapi';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { IncidentEvent } from '../../incidents/event.ts';
import { incidentRoutes } from '../../incidents/incident-routes.ts';
import { type Incidents, openIncidents } from '../../incidents/incidents.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { type Access, openAccess } from '../access/access.ts';
import { accessRoutes, type WhoIs, whoIsByToken, whoIsOperator } from '../access/access-routes.ts';
import { type AccessAudit, openAccessAudit } from '../access/audit.ts';
import type { HostedWorkspaces } from '../hosted-workspace.ts';
import type { KeptTables } from '../retention/kept-tables.ts';
import { retentionRoutes } from '../retention/retention-routes.ts';
import { openWorkspaceRetention, type WorkspaceRetention } from '../retention/workspace-retention.ts';
import { type LocalWorkspaceSettings, settingsOf } from '../settings.ts';
import type { Stage } from '../staging/stage.ts';
import { answersWhenCopied } from './answers-when-copied.ts';
import { asking } from './asking.ts';
import { exportRoutes } from './export-routes.ts';
import type { Outside } from './exporting.ts';
import { keyRoutes } from './key-routes.ts';
import { replicaRoutes } from './replica-routes.ts';
import { savedQueriesIn } from './saving-queries.ts';
import { statusRoutes } from './status-routes.ts';
import { incidentOfAccess, incidentOfRetention } from './telling.ts';

export interface GuardParts {
  readonly dataFolder: string;
  readonly settings: LocalWorkspaceSettings;
  readonly workspaceIds: readonly WorkspaceId[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who watches: audit log, incidents and access. They are there before the workspaces are. */
export interface Guard {
  readonly audit: AccessAudit;
  readonly incidents: Incidents;
  readonly access: Access;
  /** Takes what a part tells; nothing where it is no incident. */
  report(event: IncidentEvent | undefined): void;
}

export async function openGuard({ dataFolder, settings, workspaceIds, clock, log }: GuardParts, parts: AsyncDisposableStack): Promise<Guard> {
  const audit = await openAccessAudit({ dataFolder, clock, log });
  parts.defer(() => audit.close());
  const flags = `--local-workspace ${dataFolder}`;
  const incidents = openIncidents({
    path: join(dataFolder, 'incidents.sqlite'),
    settings: settings.incidents,
    site: hostname(),
    flags,
    clock,
    random: randomFillSync,
    log,
  });
  parts.defer(() => incidents.close());
  const report = (event: IncidentEvent | undefined): void => {
    if (event) incidents.report(event);
  };
  const isHosted = (id: WorkspaceId): boolean => workspaceIds.includes(id);
  const access = await openAccess({ dataFolder, isHosted, enter: audit.enter, onEvent: (event) => report(incidentOfAccess(event)), clock, log });
  parts.defer(() => access.close());
  return { audit, incidents, access, report };
}

export interface ProtectingParts {
  readonly guard: Guard;
  readonly workspaces: HostedWorkspaces;
  readonly settings: LocalWorkspaceSettings;
  readonly outsides: ReadonlyMap<WorkspaceId, Outside>;
  readonly renewServiceKey: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The protections' faces: for the HTTPS service, where tokens say who asks, and for the control socket, where the operator does. */
export interface Protecting {
  readonly service: readonly Plugin<void>[];
  readonly control: readonly Plugin<void>[];
}

export function openProtecting(given: ProtectingParts, parts: AsyncDisposableStack): Protecting {
  const { guard, workspaces, outsides, renewServiceKey, clock } = given;
  const { access, incidents } = guard;
  const retention = openRetention(given, parts);
  const savedQueries = savedQueriesIn(outsides);
  const toldByOperator = [
    ...exportRoutes({ workspaces, outsides, access, clock }),
    ...replicaRoutes({ workspaces, access }),
    ...incidentRoutes(incidents, () => access.operator.name),
  ];
  const pluginsFor = (whoIs: WhoIs): Plugin<void>[] => [
    answersWhenCopied(workspaces, given.log),
    asking({ ...given, access, whoIs, savedQueries }),
    accessRoutes(access, whoIs),
    plugin('status', statusRoutes({ workspaces, access, whoIs })),
    plugin('key', keyRoutes({ workspaces, access, whoIs, renewServiceKey })),
    plugin('retention', retentionRoutes({ authorise: whoIs, workspaceOf: (id) => retention.get(id), now: clock.now })),
  ];
  return {
    service: pluginsFor(whoIsByToken(access, clock.now)),
    control: [...pluginsFor(whoIsOperator(access, (id) => workspaces.has(id))), plugin('operator', toldByOperator)],
  };
}

function plugin(name: string, routes: ServerRoute[]): Plugin<void> {
  return { name, register: (server) => server.route(routes) };
}

function openRetention(
  { guard, workspaces, settings, clock, log }: ProtectingParts,
  parts: AsyncDisposableStack,
): ReadonlyMap<WorkspaceId, WorkspaceRetention> {
  const opened = new Map<WorkspaceId, WorkspaceRetention>();
  for (const [workspaceId, workspace] of workspaces) {
    const { stage } = workspace;
    if (!stage) continue;
    const own = settingsOf(settings, workspaceId);
    // What left the tables must not stay behind in the staging log.
    const leaveNothing = (): void =>
      void stage
        .removeDone()
        .catch((cause: unknown) =>
          log.warn({ workspaceId, reason: messageOf(cause) }, 'rows that were removed are in the staging log still, until its file is full'),
        );
    const retention = openWorkspaceRetention({
      ...{ workspaceId, clock, log, settings: own.retention, hasHotFolder: own.hotFolder !== undefined },
      ...{ database: workspace.register, sealer: workspace.sealerOf('operations'), tables: keptTables(stage) },
      enter: guard.audit.enter,
      onEvent(event) {
        guard.report(incidentOfRetention(event));
        if (event.kind === 'purge-completed' || event.kind === 'table-deleted') leaveNothing();
      },
      onTrimmed(rows) {
        if (rows > 0) leaveNothing();
      },
      newId: randomUUID,
    });
    parts.defer(() => retention.close());
    opened.set(workspaceId, retention);
  }
  return opened;
}

function keptTables(stage: Stage): KeptTables {
  return {
    schemas: () => stage.ask('schemas', undefined),
    segments: () => stage.ask('segments', undefined),
    lastSeq: stage.lastSeq,
    trim: ({ now, ...retention }) => stage.ask('trim', { ...retention, now }),
    cool: (given) => stage.ask('cool', given),
    purgeStep: (order) => stage.ask('purgeStep', order),
    dropTable: (given) => stage.ask('dropTable', given),
  };
}
