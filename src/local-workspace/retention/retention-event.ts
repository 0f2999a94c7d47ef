import type { WorkspaceId } from '../../workspace/workspace-id.ts';

/** What others must hear of, for incidents. No filter's value is in it. `at`: milliseconds since 1970 · `by`: who, in words. */
export type RetentionEvent = { readonly workspaceId: WorkspaceId; readonly at: number; readonly by: string } & (
  | { readonly kind: 'retention-shortened' | 'retention-lengthened' | 'retention-taken-back'; readonly what: string; readonly effectiveAt: number }
  | { readonly kind: 'lock-set' | 'lock-lifted'; readonly reason: string }
  /** Somebody tried what a lock forbids. */
  | { readonly kind: 'refused-by-lock'; readonly action: string; readonly what: string }
  | { readonly kind: 'purge-requested' | 'table-deletion-requested'; readonly operationId: string; readonly table: string }
  | { readonly kind: 'purge-completed' | 'table-deleted'; readonly operationId: string; readonly table: string; readonly removedRows: number }
);

export type OnRetentionEvent = (event: RetentionEvent) => void;
