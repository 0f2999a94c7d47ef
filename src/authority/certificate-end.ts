import type { WorkspaceId } from '../workspace/workspace-id.ts';

/** When a certificate that must not end unseen does so. */
export interface CertificateEnd {
  /** What agents see; the root that signs now; the first to end among those of agents; the relay's own at a workspace. */
  readonly role: 'server' | 'root' | 'agents' | 'upstream';
  readonly workspaceId?: WorkspaceId;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}
