/**
 * Tokens that let one machine enrol, once, before a set time. Only a token's SHA-256 is kept: whoever reads the file can do nothing with it.
 * What is over is swept: a token stays on record until it would have expired.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

const SECRET_BYTES = 32;
/** Each attempt is compared with every token, so their number is bounded. */
export const MAX_TOKENS = 1_000;

/** A one-time token without its secret. */
export interface OneTimeToken {
  readonly id: string;
  readonly workspaceId: WorkspaceId;
  /** The only machine it is for; undefined: whichever comes. */
  readonly agentName: string | undefined;
  /** Milliseconds since 1970, all four. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly redeemedAt: number | undefined;
  readonly revokedAt: number | undefined;
}

export interface NewOneTimeToken {
  readonly workspaceId: WorkspaceId;
  readonly agentName?: string | undefined;
  readonly expiresAt: number;
}

export interface OneTimeTokens {
  /** Makes a token and returns its secret once. Throws `relay.one-time-token.too-many`. */
  create(wanted: NewOneTimeToken): { readonly token: OneTimeToken; readonly secret: string };
  /** The token that this is the secret of, if it can still be used. */
  check(secret: string): OneTimeToken | undefined;
  /** Uses a token up: true for the first one who does, false for everybody else. */
  redeem(id: string): boolean;
  list(): OneTimeToken[];
  /** True when there were usable ones with that id or for that agent. */
  revoke(nameOrId: string): boolean;
}

interface Row {
  id: string;
  workspace_id: WorkspaceId;
  agent_name: string | null;
  hash: Uint8Array;
  created_at: number;
  expires_at: number;
  redeemed_at: number | null;
  revoked_at: number | null;
}

export function createOneTimeTokens(database: DatabaseSync, now: () => number): OneTimeTokens {
  const all = database.prepare('SELECT * FROM one_time_tokens WHERE expires_at > ? ORDER BY created_at, id');
  const insert = database.prepare('INSERT INTO one_time_tokens (id, workspace_id, agent_name, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)');
  const usable = 'redeemed_at IS NULL AND revoked_at IS NULL AND expires_at > ?';
  const redeem = database.prepare(`UPDATE one_time_tokens SET redeemed_at = ? WHERE id = ? AND ${usable}`);
  const revoke = database.prepare(`UPDATE one_time_tokens SET revoked_at = ? WHERE (id = ? OR lower(agent_name) = lower(?)) AND ${usable}`);
  const sweep = database.prepare('DELETE FROM one_time_tokens WHERE expires_at <= ?');
  const rows = (): Row[] => all.all(now()) as unknown as Row[];

  return {
    create({ workspaceId, agentName, expiresAt }) {
      sweep.run(now());
      if (rows().length >= MAX_TOKENS)
        throw new RelayError(
          'relay.one-time-token.too-many',
          `There are ${MAX_TOKENS} one-time tokens that have not expired. Give them shorter lives, or use an enrolment key with --uses.`,
        );
      const id = randomBytes(6).toString('hex');
      const secret = randomBytes(SECRET_BYTES).toString('base64url');
      insert.run(id, workspaceId, agentName ?? null, hashOf(secret), now(), expiresAt);
      return { token: { id, workspaceId, agentName, createdAt: now(), expiresAt, redeemedAt: undefined, revokedAt: undefined }, secret };
    },
    check(secret) {
      const given = hashOf(secret);
      let match: Row | undefined;
      // All are compared, so that the time taken does not tell which one matched.
      for (const row of rows()) if (timingSafeEqual(row.hash, given)) match = row;
      return match && match.redeemed_at === null && match.revoked_at === null ? fromRow(match) : undefined;
    },
    redeem: (id) => Number(redeem.run(now(), id, now()).changes) > 0,
    list: () => rows().map(fromRow),
    revoke: (nameOrId) => Number(revoke.run(now(), nameOrId, nameOrId, now()).changes) > 0,
  };
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function fromRow(row: Row): OneTimeToken {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    agentName: row.agent_name ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    redeemedAt: row.redeemed_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}
