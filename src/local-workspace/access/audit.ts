/** The local workspace's audit log: `<data>/audit`, sealed with `<data>/keys/audit.key`, where `relay audit` looks for a relay's own, too. */
import { join } from 'node:path';
import { openAuditLog } from '../../audit/audit-log.ts';
import type { EnterAudit } from '../../audit/entry.ts';
import type { AuditEntry } from '../../audit/line.ts';
import { type AuditFilter, readEntries } from '../../audit/read.ts';
import { countRefusedAgents } from '../../audit/refused-agents.ts';
import { startRetention } from '../../audit/retention.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { auditActor, SYSTEM } from './actor.ts';

const KEEP_MS = 400 * 86_400_000;

export interface AccessAuditParts {
  readonly dataFolder: string;
  /** How long lines are kept, in milliseconds; 400 days unless given. */
  readonly keepMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AccessAudit {
  /** Of refusals that are alike one a minute is entered, then their number. */
  readonly enter: EnterAudit;
  /** Reads entries, of one workspace alone when it is named. */
  read(filter: AuditFilter, workspaceId?: WorkspaceId): Promise<AuditEntry[]>;
  close(): void;
}

/** Where the log of a data folder is, and the key that seals it. */
export function auditPlaces(dataFolder: string): { readonly folder: string; readonly keyFile: string } {
  return { folder: join(dataFolder, 'audit'), keyFile: join(dataFolder, 'keys', 'audit.key') };
}

/** Opens the log and enters the start; `close` enters the stop. */
export async function openAccessAudit({ dataFolder, keepMs = KEEP_MS, clock, log }: AccessAuditParts): Promise<AccessAudit> {
  const places = auditPlaces(dataFolder);
  const audit = await openAuditLog({ ...places, clock, log });
  const bySystem = (action: string): void => {
    audit.enter({ actor: auditActor(SYSTEM), action, on: SYSTEM.name, from: SYSTEM.name, result: 'done', detail: `process ${process.pid}` });
  };
  bySystem('local-workspace.start');
  const stopRetention = await startRetention({ folder: places.folder, audit, keepMs, clock, log });
  return {
    enter: countRefusedAgents(audit.enter, clock.now),
    async read(filter, workspaceId) {
      if (workspaceId === undefined) return await readEntries(places.folder, filter);
      // Names in an entry are anybody's words; its first word alone says whose it is.
      const found = await readEntries(places.folder, { ...filter, last: Number.POSITIVE_INFINITY, on: workspaceId });
      return found.filter(({ on }) => on.split(' ')[0] === workspaceId).slice(-filter.last);
    },
    close() {
      stopRetention();
      bySystem('local-workspace.stop');
      audit.close();
    },
  };
}
