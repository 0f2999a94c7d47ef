import type { ServerRoute } from '@hapi/hapi';
import type { EnterAudit } from '../audit/entry.ts';
import type { KeyRotation, Rotated } from '../workspace/key-rotation.ts';
import { audited } from './operator.ts';

/** The operator's side of the keys that seal the cache: their ids, ages and use, never a key. */
export function keysRoutes(keys: KeyRotation, audit: EnterAudit): ServerRoute[] {
  const rotate = audited(() => keys.rotate(), {
    audit,
    action: 'key.rotate',
    on: (_request, answer) => (answer as Rotated | undefined)?.to ?? 'key ring',
    detail: (_request, answer) => `took over from ${(answer as Rotated).from}`,
  });
  const forget = audited((request) => keys.forget(String((request.params as { name?: unknown }).name ?? '')), { audit, action: 'key.forget' });
  return [
    { method: 'GET', path: '/keys', handler: () => keys.list() },
    { method: 'POST', path: '/keys/rotate', handler: rotate },
    { method: 'DELETE', path: '/keys/{name}', handler: forget },
  ];
}
