import { RelayError } from '../../errors.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { SavedQueries } from '../query/api/saved-queries.ts';
import type { Outside } from './exporting.ts';

const REFUSED = new Set<string>(['relay.local-workspace.bad-saved-query', 'relay.local-workspace.too-many-queries']);

/** The saved queries of the Query API, in each workspace's private storage. */
export function savedQueriesIn(outsides: ReadonlyMap<WorkspaceId, Outside>): SavedQueries {
  const within = async <Found>(workspaceId: WorkspaceId, work: (kept: NonNullable<Outside['savedQueries']>) => Promise<Found>) => {
    const kept = outsides.get(workspaceId)?.savedQueries;
    if (!kept) return away(`Workspace ${workspaceId} has no private storage. Set privateStorage for it, and start the local workspace again.`);
    try {
      return await work(kept);
    } catch (error) {
      if (error instanceof RelayError && !REFUSED.has(error.code)) return away(error.message);
      throw error;
    }
  };
  return {
    list: (id) => within(id, async (kept) => ({ kind: 'list', queries: await kept.list() }) as const),
    get: (id, name) =>
      within(id, async (kept) => {
        const query = await kept.get(name);
        return query ? ({ kind: 'found', query } as const) : ({ kind: 'none' } as const);
      }),
    async put(id, query) {
      try {
        return await within(id, async (kept) => ({ kind: 'kept', query: await kept.put(query) }) as const);
      } catch (error) {
        if (error instanceof RelayError) return { kind: 'refused', message: error.message };
        throw error;
      }
    },
    delete: (id, name) => within(id, async (kept) => ((await kept.delete(name)) ? ({ kind: 'deleted' } as const) : ({ kind: 'none' } as const))),
  };
}

function away(reason: string) {
  return { kind: 'unavailable', reason } as const;
}
