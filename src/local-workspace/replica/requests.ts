/**
 * What the command line asks a running local workspace about its replicas, as JSON over its control socket: `GET /replica` (of one workspace with
 * `?workspace=`), `POST /replica/verify` and `GET /replica/verify?workspace=`.
 */
import { z } from 'zod';
import type { ReplicaReport } from './check-replica.ts';
import type { ReplicaState } from './replica.ts';

/** `GET /replica`: one of these for each workspace with a replica. */
export interface ShownReplica extends ReplicaState {
  readonly workspace: string;
  readonly folder: string;
}

/** `POST /replica/verify`; begins one, unless one is under way, and is answered by a `VerifyProgress`. */
export interface VerifyReplicaRequest {
  readonly workspace: string;
  /** Copies anew what differs. */
  readonly repair: boolean;
}

/** How far the last verification of a workspace's replica has come. */
export type VerifyProgress =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly report: ReplicaReport }
  | { readonly state: 'failed'; readonly detail: string };

export const verifyReplicaRequestSchema: z.ZodType<VerifyReplicaRequest> = z.strictObject({
  workspace: z.string().max(36),
  repair: z.boolean().default(false),
});
