import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { By } from '../access/actor.ts';
import type { Change } from './retention-policy.ts';
import type { Setting } from './retention-rule.ts';
import type { Plan } from './retention-settings.ts';

/** The changes of one workspace's retention. They are only ever added to. */
export interface ChangeStore {
  /** In the order in which they came. */
  all(): Change[];
  /** Adds one durably. */
  add(change: Change): void;
}

interface Row {
  target: Setting['target'];
  table_name: string | null;
  plan: Plan | null;
  days: number | null;
  source: Change['source'];
  is_take_back: number;
  requested_at: number;
  effective_at: number;
  by_kind: By['kind'];
  by_id: string;
  by_name: string;
}

export function createChangeStore(database: DatabaseSync, workspaceId: WorkspaceId): ChangeStore {
  const all = database.prepare('SELECT * FROM retention_changes WHERE workspace_id = ? ORDER BY seq');
  const add = database.prepare(`
    INSERT INTO retention_changes (workspace_id, target, table_name, plan, days, source, is_take_back, requested_at, effective_at, by_kind, by_id, by_name)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return {
    all: () => (all.all(workspaceId) as unknown as Row[]).map(changeOf),
    add({ setting, source, isTakeBack, requestedAt, effectiveAt, by }) {
      const table = setting.target === 'table' ? setting.table : null;
      const plan = setting.target === 'plan' ? setting.plan : null;
      const days = setting.target === 'plan' ? null : (setting.days ?? null);
      add.run(workspaceId, setting.target, table, plan, days, source, Number(isTakeBack), requestedAt, effectiveAt, by.kind, by.id, by.name);
    },
  };
}

function changeOf(row: Row): Change {
  const { source, requested_at: requestedAt, effective_at: effectiveAt } = row;
  const by = { kind: row.by_kind, id: row.by_id, name: row.by_name };
  return { setting: settingOf(row), source, isTakeBack: row.is_take_back === 1, requestedAt, effectiveAt, by };
}

function settingOf({ target, table_name: table, plan, days }: Row): Setting {
  if (target === 'plan') return { target, plan: plan ?? 'paid' };
  return target === 'default' ? { target, days: days as number } : { target, table: table as string, days: days ?? undefined };
}
