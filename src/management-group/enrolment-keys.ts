import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import { inTransaction } from '../transaction.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { createSealedColumn } from './sealed-column.ts';

const KEY_BYTES = 64;
const PURPOSE = 'enrolment keys';

/** An enrolment key without the key itself. */
export interface EnrolmentKey {
  readonly id: string;
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
  /** How many onboardings it has signed. */
  readonly uses: number;
  /** How many it may sign; undefined: any number. */
  readonly maxUses: number | undefined;
}

export interface NewEnrolmentKey {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  readonly expiresAt?: number | undefined;
  readonly maxUses?: number | undefined;
  /** A key that agents have already, such as their workspace's; a new one of 64 random bytes otherwise. */
  readonly key?: Buffer | undefined;
}

/** An enrolment key with the key itself (base64), for another relay of the same group. */
export interface CopiedKey {
  readonly id: string;
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  readonly createdAt: number;
  readonly expiresAt?: number | undefined;
  readonly revokedAt?: number | undefined;
  readonly uses: number;
  readonly maxUses?: number | undefined;
  readonly key: string;
}

export interface EnrolmentKeys {
  /** Makes a key and returns it, base64, once; it is kept sealed. Throws `relay.enrolment-key.name-taken`. */
  create(wanted: NewEnrolmentKey): { readonly enrolmentKey: EnrolmentKey; readonly secret: string };
  list(): EnrolmentKey[];
  /** True when there was a key of that name or id that was not revoked yet. */
  revoke(nameOrId: string): boolean;
  /** Keys that may sign for a workspace now, opened; those whose own key is lost are left out. */
  usable(workspaceId: WorkspaceId): readonly { readonly id: string; readonly key: Buffer }[];
  nameOf(id: string): string;
  countUse(id: string): void;
  /** Names of usable keys that cannot be opened, because the key that sealed them is not in the ring. */
  unopenable(): string[];
  /** Seals all that can be opened with the ring's current key, in one transaction. */
  reseal(): void;
  /** Ids of the ring's keys that seal enrolment keys, one for each. */
  sealedWith(): string[];
  /** All that can be opened, with their keys. */
  copy(): CopiedKey[];
  /** Takes over exactly these, sealed with this ring. For the caller's transaction. */
  adopt(copied: readonly CopiedKey[]): void;
}

interface Row {
  id: string;
  name: string;
  workspace_id: WorkspaceId;
  sealed_key: Uint8Array;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  uses: number;
  max_uses: number | null;
}

export function createEnrolmentKeys(database: DatabaseSync, keys: KeyRing, now: () => number): EnrolmentKeys {
  const all = database.prepare('SELECT * FROM enrolment_keys ORDER BY created_at');
  const insert = database.prepare(
    'INSERT INTO enrolment_keys (id, name, workspace_id, sealed_key, created_at, expires_at, max_uses) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const revoke = database.prepare('UPDATE enrolment_keys SET revoked_at = ? WHERE (name = ? OR id = ?) AND revoked_at IS NULL');
  const count = database.prepare('UPDATE enrolment_keys SET uses = uses + 1 WHERE id = ?');
  const change = database.prepare('UPDATE enrolment_keys SET sealed_key = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM enrolment_keys WHERE id = ?');
  const put = database.prepare(`
    INSERT INTO enrolment_keys (id, name, workspace_id, sealed_key, created_at, expires_at, revoked_at, uses, max_uses) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET sealed_key = excluded.sealed_key, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at,
      uses = excluded.uses, max_uses = excluded.max_uses`);
  const rows = (): Row[] => all.all() as unknown as Row[];

  const column = createSealedColumn(keys, PURPOSE, 'enrolment key');
  const sealKey = column.seal;
  const openKey = ({ id, sealed_key: sealed }: Row): Buffer => column.open(id, sealed);
  const canOpen = ({ sealed_key: sealed }: Row): boolean => column.canOpen(sealed);
  const isUsable = (row: Row): boolean =>
    row.revoked_at === null && (row.expires_at === null || row.expires_at > now()) && (row.max_uses === null || row.uses < row.max_uses);

  return {
    create({ name, workspaceId, expiresAt, maxUses, key = randomBytes(KEY_BYTES) }) {
      if (rows().some((row) => row.name === name)) {
        throw new RelayError(
          'relay.enrolment-key.name-taken',
          `There is an enrolment key named "${name}" already. Choose another name; a revoked key keeps its name for the record.`,
        );
      }
      const id = randomBytes(6).toString('hex');
      insert.run(id, name, workspaceId, sealKey(id, key), now(), expiresAt ?? null, maxUses ?? null);
      return { enrolmentKey: { id, name, workspaceId, createdAt: now(), expiresAt, revokedAt: undefined, uses: 0, maxUses }, secret: key.toString('base64') };
    },
    list: () => rows().map(fromRow),
    revoke: (nameOrId) => Number(revoke.run(now(), nameOrId, nameOrId).changes) > 0,
    usable: (workspaceId) =>
      rows()
        .filter((row) => row.workspace_id === workspaceId && isUsable(row) && canOpen(row))
        .map((row) => ({ id: row.id, key: openKey(row) })),
    nameOf: (id) => rows().find((row) => row.id === id)?.name ?? id,
    countUse(id) {
      count.run(id);
    },
    unopenable: () =>
      rows()
        .filter((row) => isUsable(row) && !canOpen(row))
        .map(({ name }) => name),
    reseal() {
      const old = rows().filter((row) => !column.isCurrent(row.sealed_key) && canOpen(row));
      inTransaction(database, () => {
        for (const row of old) change.run(sealKey(row.id, openKey(row)), row.id);
      });
    },
    sealedWith: () => column.sealersOf(rows().map(({ sealed_key: sealed }) => sealed)),
    copy: () =>
      rows()
        .filter(canOpen)
        .map((row) => ({ ...fromRow(row), key: openKey(row).toString('base64') })),
    adopt(copied) {
      const before = new Map(rows().map((row) => [row.id, row]));
      const wanted = new Set(copied.map(({ id }) => id));
      // First: what goes may have the name of what comes.
      for (const id of before.keys()) if (!wanted.has(id)) remove.run(id);
      for (const { id, name, workspaceId, createdAt, expiresAt, revokedAt, uses, maxUses, key } of copied) {
        const old = before.get(id);
        const sealed = old && canOpen(old) && openKey(old).equals(Buffer.from(key, 'base64')) ? old.sealed_key : sealKey(id, Buffer.from(key, 'base64'));
        put.run(id, name, workspaceId, sealed, createdAt, expiresAt ?? null, revokedAt ?? null, uses, maxUses ?? null);
      }
    },
  };
}

function fromRow(row: Row): EnrolmentKey {
  return {
    id: row.id,
    name: row.name,
    workspaceId: row.workspace_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    uses: row.uses,
    maxUses: row.max_uses ?? undefined,
  };
}
