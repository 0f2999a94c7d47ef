import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceOptions } from '../../workspace/options.ts';
import type { RoadRefusalReason, WorkspaceRoads } from '../../workspace/road-state.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { createRoad, type Road } from './road.ts';

/** What a road is for. */
export type RoadPurpose = 'data' | 'sign-in';

/** Told of what happens on the roads. */
export interface RoadWatch {
  /** A connection passed every check; milliseconds since 1970. */
  verified(workspaceId: WorkspaceId, purpose: RoadPurpose, at: number): void;
  /** A connection was not made, because it would not have been by this road. */
  refused(workspaceId: WorkspaceId, purpose: RoadPurpose, reason: RoadRefusalReason): void;
}

export interface RoadsParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly watch: RoadWatch;
}

/** The roads of a workspace. */
export interface Roads {
  readonly data: Road;
  readonly signIn: Road;
  describe(): WorkspaceRoads;
  close(): void;
}

/** Makes both roads by the workspace's options. Nothing is connected. */
export async function createRoads(workspace: WorkspaceOptions, { clock, log, watch }: RoadsParts): Promise<Roads> {
  const { id, protocol, path, signInPath } = workspace;
  const partsFor = (purpose: RoadPurpose): Parameters<typeof createRoad>[1] => ({
    clock,
    warn: (message) => log.warn(message),
    onVerified: (at) => watch.verified(id, purpose, at),
    onRefused: (reason) => watch.refused(id, purpose, reason),
  });
  const data = await createRoad(path, partsFor('data'));
  const signIn = await createRoad(signInPath, partsFor('sign-in'));
  return {
    data,
    signIn,
    describe: () => ({ data: data.describe(), ...(protocol === 'logs-ingestion' ? { signIn: signIn.describe() } : {}) }),
    close() {
      data.close();
      signIn.close();
    },
  };
}
