import { join } from 'node:path';
import type { WorkspaceStats } from '../../cache/cache.ts';
import { readSegmentFacts } from '../../cache/segment-facts.ts';
import { asJson, type Part } from '../part.ts';
import { type BundleSite, NO_CONFIGURATION } from '../site.ts';

const LOOK_MS = 10_000;
/** Longer than the look itself: one segment is always finished. */
const LIMIT_MS = 20_000;

/** What waits: counted on the disk, and as the relay and its index count it. */
export function cachePart({ relay, configured }: BundleSite): Part {
  return {
    file: 'cache.json',
    what: 'what waits, by workspace and kind: groups, batches, bytes, age, segment files; entries of the index by state',
    limitMs: LIMIT_MS,
    async gather() {
      if (!configured.usable) return { leftOut: NO_CONFIGURATION };
      const onDisk = await readSegmentFacts(join(configured.configuration.data, 'cache', 'segments'), AbortSignal.timeout(LOOK_MS));
      return asJson({ onDisk, byTheRelay: relay.runs ? relay.status.cache.workspaces.map(queueOf) : relay.reason });
    },
  };
}

function queueOf({ workspaceId, groupsWaiting, groupsInFlight, groupsDelayed, oldestAt, dueSince, indexCounts }: WorkspaceStats): object {
  return { workspaceId, groupsWaiting, groupsInFlight, groupsDelayed, oldestAt, dueSince, indexCounts };
}
