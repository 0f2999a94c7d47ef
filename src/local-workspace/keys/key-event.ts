import type { WorkspaceId } from '../../workspace/workspace-id.ts';

/** What happened to the key of a workspace, for the audit log and for whoever is on duty. */
export interface KeyEvent {
  readonly kind: 'key-taken-away' | 'key-given-back' | 'key-rotated' | 'key-provider-changed';
  readonly workspaceId: WorkspaceId;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** In words, without secrets. */
  readonly detail: string;
}
