import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../../transaction.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { By } from './actor.ts';
import type { Standing } from './rights.ts';

/** A token as it is kept: without its secret. Times are milliseconds since 1970. */
export interface StoredToken {
  readonly id: string;
  readonly name: string;
  readonly role: Standing;
  readonly secretSha256: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly createdBy: By;
  /** Its workspaces, each with when its access there was revoked. */
  readonly workspaces: ReadonlyMap<WorkspaceId, number | undefined>;
}

export interface TokenStore {
  add(token: Omit<StoredToken, 'workspaces'>, workspaces: readonly WorkspaceId[]): void;
  find(id: string): StoredToken | undefined;
  /** Those that a workspace has ever had, the oldest first. */
  of(workspaceId: WorkspaceId): StoredToken[];
  /** Ends a token's access to one workspace; it must have it. */
  revoke(id: string, workspaceId: WorkspaceId, at: number, by: By): void;
  /** The day (UTC, `2026-11-23`) of the last use in a workspace. */
  lastUse(id: string, workspaceId: WorkspaceId): string | undefined;
  noteUse(id: string, workspaceId: WorkspaceId, day: string): void;
}

interface Row {
  id: string;
  name: string;
  role: Standing;
  secret_sha256: string;
  created_at: number;
  expires_at: number;
  by_kind: By['kind'];
  by_id: string;
  by_name: string;
}

/** Keeps tokens in the access database, which stays the caller's. */
export function createTokenStore(database: DatabaseSync): TokenStore {
  const insert = database.prepare('INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const place = database.prepare('INSERT INTO token_workspaces VALUES (?, ?)');
  const byId = database.prepare('SELECT * FROM tokens WHERE id = ?');
  const byWorkspace = database.prepare(
    'SELECT tokens.* FROM token_workspaces JOIN tokens ON id = token_id WHERE workspace_id = ? ORDER BY created_at, tokens.rowid',
  );
  const places = database.prepare(
    'SELECT workspace_id AS id, at FROM token_workspaces LEFT JOIN revocations USING (token_id, workspace_id) WHERE token_id = ?',
  );
  const revoke = database.prepare('INSERT INTO revocations VALUES (?, ?, ?, ?, ?, ?)');
  const use = database.prepare('SELECT day FROM token_uses WHERE token_id = ? AND workspace_id = ?');
  const putUse = database.prepare('INSERT OR REPLACE INTO token_uses VALUES (?, ?, ?)');

  const placesOf = (id: string): Map<WorkspaceId, number | undefined> => {
    const rows = places.all(id) as unknown as { id: WorkspaceId; at: number | null }[];
    return new Map(rows.map(({ id: workspaceId, at }) => [workspaceId, at ?? undefined]));
  };
  const fromRow = (row: Row): StoredToken => ({
    id: row.id,
    name: row.name,
    role: row.role,
    secretSha256: row.secret_sha256,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    createdBy: { kind: row.by_kind, id: row.by_id, name: row.by_name },
    workspaces: placesOf(row.id),
  });

  return {
    add({ id, name, role, secretSha256, createdAt, expiresAt, createdBy: by }, workspaces) {
      inTransaction(database, () => {
        insert.run(id, name, role, secretSha256, createdAt, expiresAt, by.kind, by.id, by.name);
        for (const workspaceId of workspaces) place.run(id, workspaceId);
      });
    },
    find(id) {
      const row = byId.get(id) as Row | undefined;
      return row && fromRow(row);
    },
    of: (workspaceId) => (byWorkspace.all(workspaceId) as unknown as Row[]).map(fromRow),
    revoke(id, workspaceId, at, by) {
      revoke.run(id, workspaceId, at, by.kind, by.id, by.name);
    },
    lastUse: (id, workspaceId) => (use.get(id, workspaceId) as { day: string } | undefined)?.day,
    noteUse(id, workspaceId, day) {
      putUse.run(id, workspaceId, day);
    },
  };
}
