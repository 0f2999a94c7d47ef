import { isSameSecret } from '../../../same-secret.ts';
import { checkAssertion } from './client-assertion.ts';
import type { DeclaredApp } from './declaration.ts';
import type { Directory } from './directory.ts';
import type { Tokens } from './tokens.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SCOPE = /^(https:\/\/monitor\.azure\.(?:com|us|cn)\/?)\/\.default$/;

/** A refusal in the words of Entra. */
export interface TokenRefusal {
  readonly granted: false;
  readonly status: 400 | 401;
  readonly error: string;
  /** The number behind AADSTS. */
  readonly code: number;
  readonly message: string;
}

export type TokenAnswer = { readonly granted: true; readonly accessToken: string; readonly lifeS: number } | TokenRefusal;

export interface TokenRequest {
  readonly tenant: string;
  readonly form: Readonly<Record<string, string | undefined>>;
  /** Under which the token endpoint is reached: what assertions must be made for. */
  readonly tokenUrls: readonly string[];
}

/** Grants a token for client credentials: a secret, or an assertion signed with a registered certificate. */
export function answerTokenRequest(request: TokenRequest, directory: Directory, tokens: Tokens, now: number): TokenAnswer {
  const { tenant, form } = request;
  const { tenantId, tokenLifeS } = directory.declaration();
  if (tenant.toLowerCase() !== tenantId)
    return refused(400, 'invalid_request', 90_002, `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`);
  const strange = checkForm(form);
  if (strange) return strange;
  const clientId = String(form['client_id']);
  const app = directory.app(clientId);
  if (!app) {
    return refused(400, 'unauthorized_client', 700_016, `Application with identifier '${clientId}' was not found in the directory '${tenantId}'.`);
  }
  const unproven = checkCredential(request, app, now);
  if (unproven) return unproven;
  const audience = SCOPE.exec(form['scope'] ?? '')?.[1];
  if (!audience) return refuseScope(form['scope'] ?? '');
  return { granted: true, accessToken: tokens.issue({ tenantId, clientId: app.clientId, audience }, tokenLifeS, now), lifeS: tokenLifeS };
}

function checkForm(form: TokenRequest['form']): TokenRefusal | undefined {
  for (const name of ['grant_type', 'client_id', 'scope']) {
    if (!form[name]) return refused(400, 'invalid_request', 900_144, `The request body must contain the following parameter: '${name}'.`);
  }
  if (form['grant_type'] === 'client_credentials') return undefined;
  return refused(400, 'unsupported_grant_type', 70_003, `The app requested an unsupported grant type '${form['grant_type']}'.`);
}

function checkCredential({ form, tokenUrls }: TokenRequest, app: DeclaredApp, now: number): TokenRefusal | undefined {
  const { client_secret: secret, client_assertion: assertion } = form;
  if (secret) return checkSecret(secret, app, now);
  if (!assertion)
    return refused(401, 'invalid_client', 7_000_218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
  if (form['client_assertion_type'] !== ASSERTION_TYPE) return refused(400, 'invalid_request', 700_026, 'Client assertion type is not supported.');
  const checked = checkAssertion(assertion, app, tokenUrls, now);
  return checked.valid ? undefined : refused(401, 'invalid_client', checked.code, checked.message);
}

function checkSecret(secret: string, app: DeclaredApp, now: number): TokenRefusal | undefined {
  const found = app.secrets.find(({ value }) => isSameSecret(value, secret));
  if (!found) {
    const hint = 'Ensure the secret being sent in the request is the client secret value, not the client secret ID';
    return refused(401, 'invalid_client', 7_000_215, `Invalid client secret provided. ${hint}, for a secret added to app '${app.clientId}'.`);
  }
  if (found.notAfter === undefined || now <= Date.parse(found.notAfter)) return undefined;
  return refused(401, 'invalid_client', 7_000_222, `The provided client secret keys for app '${app.clientId}' are expired. Create new keys for your app.`);
}

function refuseScope(scope: string): TokenRefusal {
  if (!scope.endsWith('/.default')) {
    return refused(
      400,
      'invalid_scope',
      1_002_012,
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.`,
    );
  }
  const resource = scope.slice(0, -'/.default'.length);
  return refused(400, 'invalid_resource', 500_011, `The resource principal named ${resource} was not found in the tenant.`);
}

function refused(status: 400 | 401, error: string, code: number, message: string): TokenRefusal {
  return { granted: false, status, error, code, message };
}
