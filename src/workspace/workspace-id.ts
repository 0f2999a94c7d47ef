import { RelayError } from '../errors.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The GUID of a Log Analytics workspace, in lower case. Only `parseWorkspaceId` makes one. */
export type WorkspaceId = string & { readonly __workspaceId: true };

/** The GUID an agent made for itself at its first onboarding, in lower case. Only `parseAgentId` makes one. */
export type AgentId = string & { readonly __agentId: true };

/** Reads a workspace's GUID; undefined when the text is none. */
export function readWorkspaceId(text: string): WorkspaceId | undefined {
  const id = text.trim().toLowerCase();
  return GUID.test(id) ? (id as WorkspaceId) : undefined;
}

/** Reads an agent's GUID; undefined when the text is none. */
export function readAgentId(text: string): AgentId | undefined {
  const id = text.trim().toLowerCase();
  return GUID.test(id) ? (id as AgentId) : undefined;
}

/** Like `readWorkspaceId`, for text that must be one: throws `relay.workspace.bad-id`. */
export function parseWorkspaceId(text: string): WorkspaceId {
  const id = readWorkspaceId(text);
  if (id) return id;
  throw new RelayError('relay.workspace.bad-id', `A workspace id is a GUID such as 3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f, found "${text.slice(0, 80)}".`);
}

/** Like `readAgentId`, for text that must be one: throws `relay.agent.bad-id`. */
export function parseAgentId(text: string): AgentId {
  const id = readAgentId(text);
  if (id) return id;
  throw new RelayError('relay.agent.bad-id', `An agent id is a GUID such as 7d54bebf-7428-4660-a7e5-ba4b04f1144f, found "${text.slice(0, 80)}".`);
}
