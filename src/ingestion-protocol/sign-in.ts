/** What Entra's sign-in pages say that client libraries read before they ask for a token. */

/** Where tokens are asked for, below the service's name. */
export const TOKEN_PATH = '/{tenant}/oauth2/v2.0/token';
export const CONFIGURATION_PATH = '/{tenant}/v2.0/.well-known/openid-configuration';
export const DISCOVERY_PATH = '/common/discovery/instance';

/** The configuration document of a tenant (OpenID Connect Discovery 1.0, section 4.2). */
export function openIdConfiguration(host: string, tenant: string, methods: readonly string[]): object {
  const base = `https://${host}/${tenant}`;
  return {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: methods,
    response_types_supported: ['token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
}

/** The instance discovery document: this host as the only one of its cloud. */
export function instanceDiscovery(host: string, tenant: string): object {
  return {
    tenant_discovery_endpoint: `https://${host}/${tenant}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

/** A granted token as Entra answers it. */
export function grantedToken(accessToken: string, lifeS: number): object {
  return { token_type: 'Bearer', expires_in: lifeS, ext_expires_in: lifeS, access_token: accessToken };
}
