import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Role } from './rights.ts';

/** What others must hear of, for incidents. Nothing secret is in it. `at`: milliseconds since 1970. */
export type AccessEvent =
  | (AboutRequest & { readonly kind: 'access-requested'; readonly reason: string })
  | (AboutRequest & { readonly kind: 'access-approved'; readonly until: number; readonly by: string })
  /** Approved access is over: its time has passed, or an owner took it back. */
  | (AboutRequest & { readonly kind: 'access-ended'; readonly why: 'time-over' | 'withdrawn' })
  /** One for each wrong token until its address is limited (20 a minute); `count`: how many came from there in this minute, `limited`: it is the last one told of. */
  | { readonly kind: 'bad-tokens'; readonly at: number; readonly from: string; readonly count: number; readonly limited: boolean };

interface AboutRequest {
  readonly at: number;
  readonly workspaceId: WorkspaceId;
  readonly requestId: string;
  /** The support person's name. */
  readonly support: string;
  readonly role: Role;
}
