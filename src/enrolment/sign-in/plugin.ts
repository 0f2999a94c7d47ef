/** hapi plugin: the token endpoint for senders, as Entra's (OAuth 2.0 client credentials), with the pages that sign-in libraries read before they ask. */
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import type { EnterAudit } from '../../audit/entry.ts';
import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';
import { CONFIGURATION_PATH, DISCOVERY_PATH, grantedToken, instanceDiscovery, openIdConfiguration, TOKEN_PATH } from '../../ingestion-protocol/sign-in.ts';
import { writeTokenRefusal } from '../../ingestion-protocol/token-refusal.ts';
import type { Logger } from '../../logger.ts';
import type { ManagementGroup } from '../../management-group/management-group.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Attempts } from '../attempts.ts';
import { readTokenForm } from './token-form.ts';
import { decideToken } from './token-request.ts';

const MAX_FORM_BYTES = 64 * 1024;
const METHODS = ['client_secret_post', 'client_secret_basic'];
/** Any tenant is as good as another; one that libraries take. */
const TENANT = 'common';

export interface SignInPluginOptions {
  readonly group: Pick<ManagementGroup, 'senders' | 'senderTokens'>;
  /** How long a token is good, in milliseconds. */
  readonly tokenLifeMs: number;
  readonly attempts: Attempts;
  readonly audit: EnterAudit;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export const signInPlugin: Plugin<SignInPluginOptions> = {
  name: 'sign-in',
  register(server, { group, tokenLifeMs, attempts, audit, clock, metrics, log }) {
    const token: Lifecycle.Method = (request, h) => {
      const from = request.info.remoteAddress;
      const form = readTokenForm((request.payload as Buffer | null)?.toString('utf8') ?? '', headerOf(request));
      const decision = decideToken(form, group.senders);
      metrics.count('senderSignIns', { outcome: decision.granted ? 'granted' : decision.outcome });
      if (decision.granted) {
        log.debug({ agentId: decision.sender.agent.agentId }, 'a sender signed in');
        return h
          .response(grantedToken(group.senderTokens.issue(decision.sender, tokenLifeMs), Math.floor(tokenLifeMs / 1000)))
          .header('cache-control', 'no-store');
      }
      // Good ones are always taken: many senders may share an address, and one that is configured wrongly must not shut the others out.
      const waitS = attempts.waitS(from);
      if (decision.outcome === 'bad-credentials') attempts.failed(from);
      if (waitS > 0)
        throw new RelayError('relay.enrolment.too-many-attempts', `Too many bad credentials came from ${from}. Wait ${waitS} seconds.`, { retryAfterS: waitS });
      // Who failed to sign in is not named: nothing that it said has been verified.
      audit({ actor: { kind: 'agent', name: 'unknown' }, action: 'sign-in.fail', on: 'token endpoint', from, result: 'refused', detail: decision.outcome });
      log.warn({ reason: decision.outcome, remoteAddress: from }, decision.message);
      return h.response(writeTokenRefusal(decision, clock.now())).code(decision.status).header('cache-control', 'no-store');
    };
    const payload = { parse: false, output: 'data', maxBytes: MAX_FORM_BYTES, override: 'application/octet-stream' } as const;
    const auth = false as const;
    server.route([
      { method: 'POST', path: TOKEN_PATH, options: { auth, payload }, handler: token },
      { method: 'GET', path: CONFIGURATION_PATH, options: { auth }, handler: (request) => openIdConfiguration(request.info.host, tenantOf(request), METHODS) },
      { method: 'GET', path: DISCOVERY_PATH, options: { auth }, handler: (request) => instanceDiscovery(request.info.host, TENANT) },
    ]);
  },
};

function tenantOf(request: Request): string {
  return encodeURIComponent((request.params as { tenant: string }).tenant);
}

function headerOf(request: Request): string | undefined {
  const value: unknown = request.headers['authorization'];
  return typeof value === 'string' ? value : undefined;
}
