import { Command } from 'commander';
import type { Head } from '../audit/line.ts';
import { readEntries } from '../audit/read.ts';
import { auditPlaces } from '../local-workspace/access/audit.ts';
import { AUDIT_COLUMNS, printVerification, toCount, toHead, toMoment } from './audit.ts';
import { subcommand } from './local-workspace-options.ts';
import { createOutput, type Output, printRows } from './output.ts';

interface ListFlags {
  readonly data: string;
  readonly last: number;
  readonly since?: number;
  readonly action?: string;
  readonly on?: string;
  readonly json: boolean;
}

interface VerifyFlags {
  readonly data: string;
  readonly head?: Head;
  readonly json: boolean;
}

/** `relay local-workspace audit list | verify`: from the files; the process need not run. */
export function localWorkspaceAuditCommand(outputFor: (json: boolean) => Output = createOutput): Command {
  const list = subcommand('list', 'who did what, on what, from where, and what came of it; the oldest first')
    .option('--last <number>', 'so many at most, the youngest', toCount, 100)
    .option('--since <time>', 'only those after a time (2026-11-23T08:00Z), or of a duration until now (24h)', toMoment)
    .option('--action <action>', 'only this action, or all of one noun: access-token.create, access-token')
    .option('--on <text>', 'only those on something whose name holds this text, such as a workspace')
    .action(async ({ data, json, ...filter }: ListFlags) => {
      printRows(outputFor(json), await readEntries(auditPlaces(data).folder, filter), AUDIT_COLUMNS, 'No entries.');
    });
  const verify = subcommand('verify', 'say whether the log is as it was written')
    .option('--head <number:seal>', 'a last line that was noted elsewhere: it must be there', toHead)
    .action(({ data, json, head }: VerifyFlags) => printVerification({ ...auditPlaces(data), head }, outputFor(json)));
  return new Command('audit').description('who did what in the workspaces').addCommand(list).addCommand(verify);
}
