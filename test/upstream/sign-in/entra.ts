/** A sign-in service of our own, for one application: answers as Entra does, or as a test wants. */
import { verify, X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpsServer, startHttpsServer } from '../https-server.ts';

export const TENANT = '11111111-2222-4333-8444-555555555555';
export const CLIENT = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const SECRET = 's3cret~of-the.application';

export interface Entra extends AsyncDisposable, Pick<HttpsServer, 'url' | 'rootPem' | 'connections'> {
  /** Tokens given so far: token-1, token-2 … */
  given(): number;
  /** Token requests so far. */
  asked(): number;
  /** Bodies of the token requests. */
  readonly forms: URLSearchParams[];
  secret: string;
  certificate: string | undefined;
  lifeS: number;
  /** Answers a token request in place of the service. */
  instead: ((response: ServerResponse) => void) | undefined;
}

export async function startEntra(): Promise<Entra> {
  let [given, asked] = [0, 0];
  const forms: URLSearchParams[] = [];
  const server = await startHttpsServer((request, response) => void answer(request, response));
  const base = `${server.url}/${TENANT}`;
  const entra: Entra = {
    url: server.url,
    rootPem: server.rootPem,
    connections: server.connections,
    given: () => given,
    asked: () => asked,
    forms,
    secret: SECRET,
    certificate: undefined,
    lifeS: 3_600,
    instead: undefined,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url?.startsWith(`/${TENANT}/v2.0/.well-known/openid-configuration`)) return reply(response, 200, discovery(base));
    asked += 1;
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    forms.push(form);
    if (entra.instead) return entra.instead(response);
    const refusal = refusalOf(entra, form, `${base}/oauth2/v2.0/token`);
    if (refusal) return refuse(response, refusal);
    given += 1;
    reply(response, 200, { token_type: 'Bearer', expires_in: entra.lifeS, ext_expires_in: entra.lifeS, access_token: `token-${given}` });
  }
  return entra;
}

/** Writes an error as Entra does. */
export function refuse(response: ServerResponse, code: string, status = 401): void {
  const text = `AADSTS${code}: Something is wrong with '${SECRET}'. Trace ID: 1 Correlation ID: 2 Timestamp: 2026-11-23 06:00:00Z`;
  reply(response, status, { error: 'invalid_client', error_description: text, error_codes: [Number(code)] });
}

function reply(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
}

function discovery(base: string): unknown {
  return {
    issuer: `${base}/v2.0`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    jwks_uri: `${base}/keys`,
  };
}

function refusalOf(entra: Entra, form: URLSearchParams, tokenEndpoint: string): string | undefined {
  if (form.get('client_id') !== CLIENT) return '700016';
  if (form.get('scope')?.split(' ').includes('https://monitor.azure.com/.default') !== true) return '500011';
  const assertion = form.get('client_assertion');
  if (assertion === null) return form.get('client_secret') === entra.secret ? undefined : '7000215';
  return entra.certificate !== undefined && isSigned(assertion, entra.certificate, tokenEndpoint) ? undefined : '700027';
}

function isSigned(assertion: string, certificate: string, audience: string): boolean {
  const [head = '', claims = '', signature = ''] = assertion.split('.');
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg: string };
  const { aud, iss } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { aud: string; iss: string };
  const key = { key: new X509Certificate(certificate).publicKey, ...(alg === 'PS256' ? { padding: 6, saltLength: 32 } : {}) };
  return aud === audience && iss === CLIENT && verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
}
