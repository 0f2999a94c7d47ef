/** What the command line asks a running local workspace about its replica, as JSON over its control socket: `GET /replica`, `POST /replica/verify`. */
import { z } from 'zod';

/** `POST /replica/verify`; answered by a `ReplicaReport`. */
export interface VerifyReplicaRequest {
  /** Copies anew what differs. */
  readonly repair: boolean;
}

export const verifyReplicaRequestSchema: z.ZodType<VerifyReplicaRequest> = z.strictObject({ repair: z.boolean().default(false) });
