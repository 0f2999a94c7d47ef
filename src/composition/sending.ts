import type { Deliver } from '../batch/verdict.ts';
import type { Registry } from '../management-group/registry.ts';
import type { AuthorityStatement } from '../oms-protocol/authority-statement.ts';
import { connectWorkspace, type WorkspaceConnection } from '../upstream/connect.ts';
import { createDeliver } from '../upstream/deliver.ts';
import { createRecordOpener } from '../upstream/record-opener.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Building } from './building.ts';
import type { Trust } from './trust.ts';

/** The relay's side towards its workspaces. */
export interface Sending {
  readonly deliver: Deliver;
  /** Tells the workspaces that take data straight from agents which roots and agents there are now. */
  announce(): void;
}

/** Makes the way to each workspace. Nothing is sent before the first batch or announcement. */
export async function openSending(building: Building, trust: Trust): Promise<Sending> {
  const { configuration, metrics, clock, component, inData, defer } = building;
  const { authority, group } = trust;
  const transports = new Map<WorkspaceId, WorkspaceConnection>();
  defer(async () => void (await Promise.all([...transports.values()].map((transport) => transport.close()))));
  const opener = createRecordOpener(configuration.intake.maxInflatedSize);
  defer(opener.close);
  const connecting = {
    options: configuration.upstream,
    folder: inData('upstream'),
    version: building.version,
    clock,
    log: component('upstream'),
    onAnswer: (seconds: number): void => metrics.observe('upstreamSeconds', {}, seconds),
    opener,
    onPart: (workspace: WorkspaceId): void => metrics.count('upstreamParts', { workspace }),
    statementFor: statements(building, trust),
  };
  for (const workspace of configuration.workspaces) transports.set(workspace.id, await connectWorkspace(workspace, connecting));

  const announce = (): void => {
    for (const transport of transports.values()) transport.announce();
  };
  defer(authority.onChange(announce));
  group.registry.onStanding(announce);
  const onVerdict = (workspace: WorkspaceId, { outcome }: { readonly outcome: string }): void => metrics.count('upstreamRequests', { workspace, outcome });
  return { deliver: createDeliver({ transports, onVerdict, log: component('upstream') }), announce };
}

function statements({ configuration }: Building, { authority, group }: Trust): (id: WorkspaceId) => AuthorityStatement {
  const trusting = new Set(configuration.workspaces.filter(({ direct }) => direct.credential === 'certificate').map(({ id }) => id));
  return (id) => (trusting.has(id) ? { roots: authority.roots().trusted, agents: approvedIn(group.registry, id) } : { roots: [], agents: [] });
}

function approvedIn(registry: Registry, workspaceId: WorkspaceId): AgentId[] {
  return registry.list().flatMap((agent) => (agent.workspaceId === workspaceId && agent.state === 'approved' ? [agent.agentId] : []));
}
