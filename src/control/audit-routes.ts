import type { Lifecycle, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { AuditEntry } from '../audit/line.ts';
import type { AuditFilter } from '../audit/read.ts';
import { RelayError } from '../errors.ts';

const MAX_ENTRIES = 10_000;

/** Reads what was entered. */
export type ReadAudit = (filter: AuditFilter) => Promise<AuditEntry[]>;

const query = z.strictObject({
  last: z.coerce.number().int().min(1).max(MAX_ENTRIES).default(MAX_ENTRIES),
  since: z.coerce.number().int().min(0).optional(),
  action: z.string().max(100).optional(),
  on: z.string().max(200).optional(),
});

/** Who did what. */
export function auditRoutes(read: ReadAudit): ServerRoute[] {
  const list: Lifecycle.Method = async (request) => {
    const parsed = query.safeParse(request.query);
    if (parsed.success) return await read(parsed.data);
    throw new RelayError('relay.control.bad-request', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  };
  return [{ method: 'GET', path: '/audit', handler: list }];
}
