import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import type { Clock } from '../../../clock.ts';
import { CONFIGURATION_PATH, DISCOVERY_PATH, grantedToken, instanceDiscovery, openIdConfiguration, TOKEN_PATH } from '../../../ingestion-protocol/sign-in.ts';
import { writeTokenRefusal } from '../../../ingestion-protocol/token-refusal.ts';
import type { Logger } from '../../../logger.ts';
import type { Directory } from './directory.ts';
import { answerTokenRequest } from './token-request.ts';
import type { Tokens } from './tokens.ts';

const MAX_FORM_BYTES = 64 * 1024;

export interface TokenServiceDeps {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The stand-in for Entra's token service, with the pages that sign-in libraries read before they ask. */
export function tokenService(deps: TokenServiceDeps): Plugin<void> {
  const token: Lifecycle.Method = (request, h) => {
    const { tenant } = request.params as { tenant: string };
    const form = Object.fromEntries(new URLSearchParams(bodyOf(request)));
    const answer = answerTokenRequest({ tenant, form, tokenUrls: tokenUrlsOf(request, tenant) }, deps.directory, deps.tokens, deps.clock.now());
    if (!answer.granted) {
      deps.log.info({ code: answer.code, clientId: form['client_id'] }, 'no token');
      return h.response(writeTokenRefusal(answer, deps.clock.now())).code(answer.status).header('cache-control', 'no-store');
    }
    const { accessToken, lifeS } = answer;
    return h.response(grantedToken(accessToken, lifeS)).header('cache-control', 'no-store');
  };

  const payload = { parse: false, output: 'data', maxBytes: MAX_FORM_BYTES, override: 'application/octet-stream' } as const;
  return {
    name: 'token-service',
    register(server) {
      server.route([
        { method: 'POST', path: TOKEN_PATH, options: { payload }, handler: token },
        { method: 'GET', path: CONFIGURATION_PATH, handler: configuration },
        { method: 'GET', path: '/{tenant}/discovery/v2.0/keys', handler: () => ({ keys: [deps.tokens.publicKey()] }) },
        { method: 'GET', path: DISCOVERY_PATH, handler: discovery(deps.directory) },
      ]);
    },
  };
}

const configuration: Lifecycle.Method = (request) =>
  openIdConfiguration(request.info.host, (request.params as { tenant: string }).tenant, ['client_secret_post', 'private_key_jwt']);

function discovery(directory: Directory): Lifecycle.Method {
  return (request) => instanceDiscovery(request.info.host, directory.declaration().tenantId);
}

// Lower case, as they are compared.
function tokenUrlsOf(request: Request, tenant: string): string[] {
  const base = `https://${request.info.host}/${tenant}`;
  return [`${base}/oauth2/v2.0/token`, `${base}/v2.0`, `${base}/`].map((url) => url.toLowerCase());
}

function bodyOf(request: Request): string {
  return Buffer.isBuffer(request.payload) ? request.payload.toString('utf8') : '';
}
