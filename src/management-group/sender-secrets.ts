import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../transaction.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import type { AgentId } from '../workspace/workspace-id.ts';
import { createSealedColumn } from './sealed-column.ts';

const PURPOSE = 'sender secrets';

/** A secret of a sender, without the secret itself. */
export interface SenderSecret {
  readonly id: string;
  readonly agentId: AgentId;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** When it ends; undefined: when it is replaced. */
  readonly expiresAt: number | undefined;
}

/** A secret with its text, for whoever checks what a sender brought. */
export interface OpenSecret extends SenderSecret {
  readonly text: string;
}

/** A secret as it is handed to another relay of the same group. */
export interface CopiedSecret {
  readonly id: string;
  readonly agentId: AgentId;
  readonly createdAt: number;
  readonly expiresAt?: number | undefined;
  readonly text: string;
}

/** The secrets of senders, sealed in the database; opened ones are kept in memory, as each request is checked against them. */
export interface SenderSecrets {
  /** Gives a sender a further secret. */
  add(agentId: AgentId, text: string): SenderSecret;
  /** Lets all that a sender has end at `expiresAt` at the latest (milliseconds since 1970). */
  endBy(agentId: AgentId, expiresAt: number): void;
  /** Forgets the secrets of whoever is no agent any more. */
  sweep(): void;
  /** Those of a sender that are good now. */
  of(agentId: AgentId): readonly OpenSecret[];
  /** Senders that have a secret, good or not. */
  owners(): readonly AgentId[];
  /** Ids of senders that have a secret which cannot be opened, because the key that sealed it is not in the ring. */
  unopenable(): readonly AgentId[];
  /** Seals all that can be opened with the ring's current key, in one transaction. */
  reseal(): void;
  /** Ids of the ring's keys that seal secrets, one for each secret. */
  sealedWith(): string[];
  /** All that can be opened, with their texts. */
  copy(): CopiedSecret[];
  /** Takes over exactly these. For the caller's transaction; `reload` follows. */
  adopt(copied: readonly CopiedSecret[]): void;
  /** Reads the database again. */
  reload(): void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface Row {
  id: string;
  agent_id: AgentId;
  sealed_text: Uint8Array;
  created_at: number;
  expires_at: number | null;
}

export function createSenderSecrets(database: DatabaseSync, keys: KeyRing, now: () => number): SenderSecrets {
  const all = database.prepare('SELECT * FROM sender_secrets ORDER BY created_at DESC, id');
  const insert = database.prepare('INSERT INTO sender_secrets (id, agent_id, sealed_text, created_at, expires_at) VALUES (?, ?, ?, ?, ?)');
  const end = database.prepare('UPDATE sender_secrets SET expires_at = min(coalesce(expires_at, ?2), ?2) WHERE agent_id = ?1');
  const change = database.prepare('UPDATE sender_secrets SET sealed_text = ? WHERE id = ?');
  const sweep = database.prepare('DELETE FROM sender_secrets WHERE NOT EXISTS (SELECT 1 FROM agents WHERE agents.agent_id = sender_secrets.agent_id)');
  const removeOne = database.prepare('DELETE FROM sender_secrets WHERE id = ?');
  const rows = (): Row[] => all.all() as unknown as Row[];

  const column = createSealedColumn(keys, PURPOSE, 'sender secret');
  const sealText = (id: string, text: string): Buffer => column.seal(id, Buffer.from(text));
  const openText = ({ id, sealed_text: sealed }: Row): string => column.open(id, sealed).toString();
  const canOpen = ({ sealed_text: sealed }: Row): boolean => column.canOpen(sealed);

  let known = new Map<AgentId, OpenSecret[]>();
  let owners: readonly AgentId[] = [];
  const reload = (): void => {
    const found = rows();
    const opened = found.filter(canOpen).map((row) => ({ ...fromRow(row), text: openText(row) }));
    known = Map.groupBy(opened, ({ agentId }) => agentId);
    owners = [...new Set(found.map(({ agent_id: agentId }) => agentId))];
  };
  reload();

  return {
    add(agentId, text) {
      const secret = { id: randomBytes(6).toString('hex'), agentId, createdAt: now(), expiresAt: undefined };
      insert.run(secret.id, agentId, sealText(secret.id, text), secret.createdAt, null);
      reload();
      return secret;
    },
    endBy(agentId, expiresAt) {
      end.run(agentId, expiresAt);
      reload();
    },
    sweep() {
      if (sweep.run().changes > 0) reload();
    },
    of: (agentId) => (known.get(agentId) ?? []).filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now()),
    owners: () => owners,
    unopenable: () =>
      rows()
        .filter((row) => !canOpen(row))
        .map(({ agent_id: agentId }) => agentId),
    reseal() {
      const old = rows().filter((row) => !column.isCurrent(row.sealed_text) && canOpen(row));
      inTransaction(database, () => {
        for (const row of old) change.run(sealText(row.id, openText(row)), row.id);
      });
    },
    sealedWith: () => column.sealersOf(rows().map(({ sealed_text: sealed }) => sealed)),
    copy: () => [...known.values()].flat(),
    adopt(copied) {
      const before = new Map(rows().map((row) => [row.id, row]));
      for (const { id, agentId, createdAt, expiresAt, text } of copied) {
        const old = before.get(id);
        before.delete(id);
        if (old && canOpen(old) && openText(old) === text && (old.expires_at ?? undefined) === expiresAt) continue;
        removeOne.run(id);
        insert.run(id, agentId, sealText(id, text), createdAt, expiresAt ?? null);
      }
      for (const id of before.keys()) removeOne.run(id);
    },
    reload,
    now,
  };
}

function fromRow(row: Row): SenderSecret {
  return { id: row.id, agentId: row.agent_id, createdAt: row.created_at, expiresAt: row.expires_at ?? undefined };
}
