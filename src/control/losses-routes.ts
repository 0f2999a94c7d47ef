import type { ServerRoute } from '@hapi/hapi';
import type { LossLedger } from '../cache/loss.ts';

/** What was given up. */
export function lossesRoutes(losses: Pick<LossLedger, 'list'>): ServerRoute[] {
  return [{ method: 'GET', path: '/losses', handler: () => losses.list() }];
}
