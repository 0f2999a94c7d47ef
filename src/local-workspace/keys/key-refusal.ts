import { RelayError } from '../../errors.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { KeyState } from './key-watch.ts';

/** The refusal of everything that needs a key that cannot be had: `relay.local-workspace.key-unavailable`. */
export function keyRefusal(workspaceId: WorkspaceId, { since, reason }: Extract<KeyState, { available: false }>): RelayError {
  return new RelayError(
    'relay.local-workspace.key-unavailable',
    `Workspace ${workspaceId}: its key cannot be had since ${new Date(since).toISOString()}: ${clause(reason)}. Give the key back, and it goes on by itself within a minute.`,
  );
}

/** Why a fresh workspace does not begin: the same code. */
export function cannotBegin(workspaceId: WorkspaceId, reason: string): RelayError {
  return new RelayError(
    'relay.local-workspace.key-unavailable',
    `Workspace ${workspaceId} is new and cannot begin, because its data key cannot be wrapped: ${clause(reason)}. Give its key, or choose another in its settings, and start again.`,
  );
}

/** Why a data key stays wrapped as it is: `relay.local-workspace.cannot-wrap`. */
export function cannotWrap(workspaceId: WorkspaceId, reason: string): RelayError {
  return new RelayError(
    'relay.local-workspace.cannot-wrap',
    `Workspace ${workspaceId}: its data key cannot be wrapped anew and stays as it is: ${clause(reason)}. Give the new key, and try again.`,
  );
}

function clause(reason: string): string {
  return reason.replace(/[.\s]+$/, '');
}
