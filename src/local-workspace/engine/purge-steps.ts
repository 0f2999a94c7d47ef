import type { PurgeOrder } from '../retention/kept-tables.ts';
import { compileFilters, onlyThrough } from '../retention/purge-filter.ts';
import { type PurgeStep, purgeStep } from '../tables/purge.ts';
import type { WorkspaceTables } from '../tables/workspace-tables.ts';

/** Purges under way: which segments each has looked at. That is forgotten with the thread; a purge begins anew then, and ends the same. */
export interface PurgeSteps {
  /** Undefined when no segment is left. Throws `relay.local-workspace.bad-purge-filter`. */
  step(order: PurgeOrder): { readonly removedRows: number } | undefined;
}

export function createPurgeSteps(tables: WorkspaceTables, changed: (change: PurgeStep['change']) => void): PurgeSteps {
  const looked = new Map<string, Set<string>>();
  return {
    step({ operationId, table, filters, throughSeq }) {
      const schema = tables.scanner.tables().find(({ name }) => name === table);
      const done = looked.get(operationId) ?? new Set();
      looked.set(operationId, done);
      const step = schema && purgeStep(tables, table, onlyThrough(compileFilters(filters, schema), throughSeq), done);
      if (!step) {
        looked.delete(operationId);
        return undefined;
      }
      done.add(step.looked);
      if (step.change.removed.length > 0) changed(step.change);
      return { removedRows: step.removedRows };
    },
  };
}
