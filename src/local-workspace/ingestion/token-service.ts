import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { Directory } from './directory.ts';
import { writeTokenRefusal } from './token-refusal.ts';
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
    const body = { token_type: 'Bearer', expires_in: lifeS, ext_expires_in: lifeS, access_token: accessToken };
    return h.response(body).header('cache-control', 'no-store');
  };

  const payload = { parse: false, output: 'data', maxBytes: MAX_FORM_BYTES, override: 'application/octet-stream' } as const;
  return {
    name: 'token-service',
    register(server) {
      server.route([
        { method: 'POST', path: '/{tenant}/oauth2/v2.0/token', options: { payload }, handler: token },
        { method: 'GET', path: '/{tenant}/v2.0/.well-known/openid-configuration', handler: configuration },
        { method: 'GET', path: '/{tenant}/discovery/v2.0/keys', handler: () => ({ keys: [deps.tokens.publicKey()] }) },
        { method: 'GET', path: '/common/discovery/instance', handler: discovery(deps.directory) },
      ]);
    },
  };
}

const configuration: Lifecycle.Method = (request) => {
  const base = `https://${request.info.host}/${(request.params as { tenant: string }).tenant}`;
  return {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    response_types_supported: ['token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
};

/** This service as the only one of its cloud. */
function discovery(directory: Directory): Lifecycle.Method {
  return (request) => {
    const { host } = request.info;
    return {
      tenant_discovery_endpoint: `https://${host}/${directory.declaration().tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    };
  };
}

// Lower case, as they are compared.
function tokenUrlsOf(request: Request, tenant: string): string[] {
  const base = `https://${request.info.host}/${tenant}`;
  return [`${base}/oauth2/v2.0/token`, `${base}/v2.0`, `${base}/`].map((url) => url.toLowerCase());
}

function bodyOf(request: Request): string {
  return Buffer.isBuffer(request.payload) ? request.payload.toString('utf8') : '';
}
