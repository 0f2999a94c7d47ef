import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';

/** A token for one stream of one workspace. */
export interface DirectToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Gets short-lived tokens from a workspace that wants them. Throws when the workspace gives none now. */
export type TokenSource = (request: { readonly agentId: AgentId; readonly stream: string }) => Promise<DirectToken>;

/** Tokens for agents whose data goes straight to a workspace that does not know their certificates. */
export interface DirectTokens {
  /** Whether there is anybody to get this workspace's tokens from. */
  has(workspaceId: WorkspaceId): boolean;
  /** A token good for exactly this stream; undefined when there is nobody to get one from. */
  tokenFor(agent: { readonly workspaceId: WorkspaceId; readonly agentId: AgentId }, stream: string): Promise<DirectToken | undefined>;
}

/** Hands out what each workspace's source gives; a workspace without one has no tokens. */
export function createDirectTokens(sources: ReadonlyMap<WorkspaceId, TokenSource>): DirectTokens {
  return {
    has: (workspaceId) => sources.has(workspaceId),
    tokenFor: ({ workspaceId, agentId }, stream) => sources.get(workspaceId)?.({ agentId, stream }) ?? Promise.resolve(undefined),
  };
}
