import type { DatabaseSync } from 'node:sqlite';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';

/** A public key that a machine has proved to hold, and whose it is. */
export interface AgentPublicKey {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  /** SHA-256 of its SubjectPublicKeyInfo, hexadecimal. */
  readonly keyHash: string;
  /** The one-time token it came with, which no other key may use from then on. */
  readonly tokenId: string | undefined;
}

/** By which key an agent is known while it has no certificate yet, or has lost the answer that brought it. */
export interface AgentKeys {
  note(key: AgentPublicKey): void;
  find(workspaceId: WorkspaceId, keyHash: string): AgentPublicKey | undefined;
  /** The key that first came with this token. */
  ofToken(tokenId: string): AgentPublicKey | undefined;
}

interface Row {
  workspace_id: WorkspaceId;
  agent_id: AgentId;
  key_hash: string;
  token_id: string | null;
}

export function createAgentKeys(database: DatabaseSync, now: () => number): AgentKeys {
  // A token stays with the key it came with, whatever that key brings later.
  const save = database.prepare(`
    INSERT INTO agent_keys (workspace_id, key_hash, agent_id, token_id, noted_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET agent_id = excluded.agent_id, token_id = coalesce(excluded.token_id, token_id), noted_at = excluded.noted_at`);
  const byKey = database.prepare('SELECT * FROM agent_keys WHERE workspace_id = ? AND key_hash = ?');
  const byToken = database.prepare('SELECT * FROM agent_keys WHERE token_id = ?');
  // What belongs to no agent any more is of no use.
  const sweep = database.prepare(
    'DELETE FROM agent_keys WHERE NOT EXISTS (SELECT 1 FROM agents WHERE agents.workspace_id = agent_keys.workspace_id AND agents.agent_id = agent_keys.agent_id)',
  );

  return {
    note({ workspaceId, keyHash, agentId, tokenId }) {
      sweep.run();
      save.run(workspaceId, keyHash, agentId, tokenId ?? null, now());
    },
    find: (workspaceId, keyHash) => fromRow(byKey.get(workspaceId, keyHash) as unknown as Row | undefined),
    ofToken: (tokenId) => fromRow(byToken.get(tokenId) as unknown as Row | undefined),
  };
}

function fromRow(row: Row | undefined): AgentPublicKey | undefined {
  return row && { workspaceId: row.workspace_id, agentId: row.agent_id, keyHash: row.key_hash, tokenId: row.token_id ?? undefined };
}
