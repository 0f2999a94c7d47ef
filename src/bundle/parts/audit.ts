import { join } from 'node:path';
import type { AuditEntry } from '../../audit/line.ts';
import { readEntries } from '../../audit/read.ts';
import { asJsonLines, type Part } from '../part.ts';
import { type BundleSite, NO_CONFIGURATION } from '../site.ts';

const LAST = 200;

/** Who did what lately: asked of the relay, else read from its files. */
export function auditPart({ relay, configured }: BundleSite): Part {
  return {
    file: 'audit.jsonl',
    what: `the last ${LAST} entries of the audit log: who did what, on what, from where`,
    keeps: 'end',
    async gather() {
      if (relay.runs) return asJsonLines(await relay.get<AuditEntry[]>(`/audit?last=${LAST}`));
      if (!configured.usable) return { leftOut: NO_CONFIGURATION };
      const folder = join(configured.configuration.data, 'audit');
      return asJsonLines(await readEntries(folder, { last: LAST }), `from the files in ${folder}`);
    },
  };
}
