import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { openAuditLog } from './audit-log.ts';
import { enterConfigurationChange } from './configuration-change.ts';
import type { AuditEvent, EnterAudit } from './entry.ts';
import type { AuditEntry } from './line.ts';
import type { AuditOptions } from './options.ts';
import { type AuditFilter, readEntries } from './read.ts';
import { countRefusedAgents } from './refused-agents.ts';
import { startRetention } from './retention.ts';

const RELAY: Pick<AuditEvent, 'actor' | 'from' | 'result'> = { actor: { kind: 'system', name: 'relay' }, from: 'relay', result: 'done' };

export interface AuditParts {
  readonly folder: string;
  readonly options: AuditOptions;
  readonly version: string;
  /** The configuration in use, without secrets: what changed since the last start is entered. */
  readonly configuration: unknown;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEntry: (event: AuditEvent) => void;
  readonly onFailure: () => void;
}

/** The audit log of a running relay. */
export interface Audit {
  readonly enter: EnterAudit;
  read(filter: AuditFilter): Promise<AuditEntry[]>;
  /** Enters what the relay does by itself. */
  system(action: string, on: string, detail?: string): void;
  close(): void;
}

/** Opens the audit log and enters the start; `close` enters the stop. */
export async function startAudit({ folder, options, version, configuration, clock, log, onEntry, onFailure }: AuditParts): Promise<Audit> {
  const audit = await openAuditLog({ folder, keyFile: options.keyFile, clock, log, onEntry, onFailure });
  const system = (action: string, on: string, detail?: string): void => audit.enter({ ...RELAY, action, on, detail });
  system('relay.start', 'relay', `version ${version}, process ${process.pid}`);
  await enterConfigurationChange(folder, configuration, audit.enter).catch((error: unknown) =>
    log.warn({ reason: messageOf(error) }, 'the configuration in use could not be noted; the next start enters its change again'),
  );
  const stopRetention = await startRetention({ folder, audit, keepMs: options.keep, clock, log });
  return {
    enter: countRefusedAgents(audit.enter, clock.now),
    read: (filter) => readEntries(folder, filter),
    system,
    close() {
      stopRetention();
      system('relay.stop', 'relay', `process ${process.pid}`);
      audit.close();
    },
  };
}
