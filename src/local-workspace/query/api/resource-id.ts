import type { WorkspaceId } from '../../../workspace/workspace-id.ts';

const NO_SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';

/** The name that clients of Azure expect a workspace to have: one resource group, of no subscription; the workspace is named by its GUID. */
export function resourceIdOf(workspaceId: WorkspaceId): string {
  return `/subscriptions/${NO_SUBSCRIPTION}/resourceGroups/local/providers/Microsoft.OperationalInsights/workspaces/${workspaceId}`;
}
