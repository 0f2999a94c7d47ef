import type { ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import { holdsToken } from '../access/token-text.ts';
import { type Call, type Guarded, JSON_PAYLOAD, type Reply, readBody } from './guarded-handler.ts';
import type { Ordered } from './retention-refusals.ts';
import type { ShownLock } from './workspace-lock.ts';

const MAX_REASON_CHARS = 500;

const reasonSchema = z.strictObject({
  reason: z
    .string({ error: 'must say why' })
    .trim()
    .min(1, 'must say why')
    .max(MAX_REASON_CHARS)
    .refine((text) => !/\p{Cc}/u.test(text), 'must be one line without control characters')
    .refine((text) => !holdsToken(text), 'must not hold an access token'),
});

/** A lock that was lifted, and the operations that go on with it. */
export type LiftedLock = ShownLock & { readonly goesOn: readonly string[] };

/** The lock on all that removes rows sooner than the retention in force. Setting and lifting need a reason. */
export function lockRoutes(guarded: Guarded): ServerRoute[] {
  const path = '/workspaces/{workspaceId}/lock';
  const set = (call: Call): Promise<Ordered<Reply>> =>
    readBody(reasonSchema, call, ({ reason }) => {
      const outcome = call.workspace.lock.set(call.actor, reason);
      return outcome.ok ? { ok: true, value: { body: outcome.value } } : outcome;
    });
  const lift = (call: Call): Promise<Ordered<Reply>> =>
    readBody(reasonSchema, call, ({ reason }) => {
      const { lock, operations } = call.workspace;
      const outcome = lock.lift(call.actor, reason);
      const goesOn = operations.open().map(({ id }) => id);
      return outcome.ok ? { ok: true, value: { body: { ...outcome.value, goesOn } satisfies LiftedLock } } : outcome;
    });
  return [
    { method: 'GET', path, handler: guarded('lock.read', ({ workspace }) => ({ ok: true, value: { body: workspace.lock.show() } })) },
    { method: 'POST', path, options: { payload: JSON_PAYLOAD }, handler: guarded('lock.set', set) },
    { method: 'DELETE', path, options: { payload: JSON_PAYLOAD }, handler: guarded('lock.lift', lift) },
  ];
}
