import type { WorkspaceId } from '../workspace/workspace-id.ts';

/** What must be known of a workspace to know its rules. */
export interface RuleOwner {
  readonly id: WorkspaceId;
  readonly ingestion: { readonly ruleId?: string | undefined };
}

/** The immutable id under which a workspace's senders may name their rule, where there is none in the cloud. */
export function ruleIdOf(workspaceId: WorkspaceId): string {
  return `dcr-${workspaceId.replaceAll('-', '')}`;
}

/** Finds whose rule an immutable id is; undefined for rules that the relay does not know, which any sender may name. */
export function createRuleOwners(workspaces: readonly RuleOwner[]): (immutableId: string) => WorkspaceId | undefined {
  const configured = new Map<string, Set<WorkspaceId>>();
  for (const { id, ingestion } of workspaces) {
    for (const rule of [ruleIdOf(id), ingestion.ruleId]) {
      if (rule !== undefined) configured.set(rule, (configured.get(rule) ?? new Set()).add(id));
    }
  }
  return (immutableId) => {
    // One rule may serve several workspaces: then it is nobody's alone.
    const [owner, other] = configured.get(immutableId) ?? [];
    return other === undefined ? owner : undefined;
  };
}
