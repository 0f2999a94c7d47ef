import { type Copies, createCopies } from '../intake/copies.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Building } from './building.ts';
import type { Keeping } from './keeping.ts';

/** Makes what copies data to further workspaces; undefined where no workspace asks for it. */
export function createCopying({ configuration, metrics, component }: Building, { cache }: Keeping): Copies | undefined {
  const copyTo = targetsOf(configuration.workspaces);
  if (copyTo.size === 0) return undefined;
  if (configuration.cache.limitPerWorkspace === undefined) {
    component('copies').warn(
      'workspaces are copied and cache.limitPerWorkspace is not set: a copy that cannot be sent may use up the whole cache, and then all agents are refused',
    );
  }
  return createCopies({ copyTo, putCopy: cache.putCopy, metrics });
}

function targetsOf(workspaces: readonly WorkspaceOptions[]): Map<WorkspaceId, readonly WorkspaceId[]> {
  const copied = workspaces.filter(({ copyTo }) => copyTo.length > 0);
  return new Map(copied.map(({ id, copyTo }) => [id, workspaces.flatMap((one) => (copyTo.includes(one.name) ? [one.id] : []))]));
}
