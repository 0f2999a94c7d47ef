import type { ServerRoute } from '@hapi/hapi';
import type { KeyRotation } from '../workspace/key-rotation.ts';

/** The operator's side of the keys that seal the cache: their ids, ages and use, never a key. */
export function keysRoutes(keys: KeyRotation): ServerRoute[] {
  return [
    { method: 'GET', path: '/keys', handler: () => keys.list() },
    { method: 'POST', path: '/keys/rotate', handler: () => keys.rotate() },
    { method: 'DELETE', path: '/keys/{name}', handler: (request) => keys.forget(String((request.params as { name?: unknown }).name ?? '')) },
  ];
}
