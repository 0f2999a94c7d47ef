import { duration, secretFile } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

export interface AuditOptions {
  /** Milliseconds after which whole files are removed. */
  readonly keep: number;
  /** Absolute path of the key that seals the lines. */
  readonly keyFile: string;
}

export const auditOptions: Schema<AuditOptions> = section<AuditOptions>({
  keep: option(
    duration({ from: '1d', to: '3650d' }),
    '400d',
    'How long the audit log is kept. A whole file goes when its youngest line is older; that is entered, too.',
  ),
  keyFile: option(
    secretFile,
    '<data>/keys/audit.key',
    'File with the key that seals the lines of the audit log, mode 0600. Made when absent, never rotated; keep a copy elsewhere.',
  ),
});
