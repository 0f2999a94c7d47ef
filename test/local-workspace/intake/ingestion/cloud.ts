import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Identity } from '../../../../src/authority/agent-identity.ts';
import { createCertificate } from '../../../../src/authority/certificate.ts';
import { toPem } from '../../../../src/authority/x509.ts';
import { type Clock, systemClock } from '../../../../src/clock.ts';
import type { WrittenDeclaration, WrittenRule } from '../../../../src/local-workspace/intake/ingestion/declaration.ts';
import { BANK, post, type Reply, type Rig, startRig } from '../../rig.ts';

export const TENANT = 'aaaaaaaa-0000-4000-8000-00000000000a';
export const APP = 'bbbbbbbb-0000-4000-8000-00000000000b';
export const OTHER_APP = 'cccccccc-0000-4000-8000-00000000000c';
export const SECRET = 'a~secret+of/a=client';
export const RULE: string = `dcr-${'0123456789abcdef'.repeat(2)}`;
export const SCOPE = 'https://monitor.azure.com/.default';

export const STREAMS: WrittenRule['streams'] = {
  'Custom-Syslog': {
    table: 'Syslog',
    columns: [
      { name: 'TimeGenerated', type: 'datetime' },
      { name: 'HostName', type: 'string' },
      { name: 'ProcessID', type: 'int' },
      { name: 'SyslogMessage', type: 'string' },
    ],
  },
  'Custom-Perf_CL': {
    table: 'Perf_CL',
    plan: 'auxiliary',
    columns: [
      { name: 'TimeGenerated', type: 'datetime' },
      { name: 'CounterValue', type: 'real' },
    ],
  },
};

/** One tenant with two apps, of which the first may send to the one rule. */
export function declarationOf(rule: Partial<WrittenRule> = {}, more: Partial<WrittenDeclaration> = {}): WrittenDeclaration {
  const apps = [APP, OTHER_APP].map((clientId) => ({ clientId, secrets: [SECRET] }));
  return { tenantId: TENANT, apps, rules: [{ immutableId: RULE, workspace: BANK, streams: STREAMS, allowedApps: [APP], ...rule }], ...more };
}

/** A local workspace with what `declarationOf` declares. */
export function startCloud(t: TestContext, ingestion: WrittenDeclaration = declarationOf(), clock: Clock = systemClock): Promise<Rig> {
  return startRig(t, { ingestion }, clock);
}

/** Asks for a token with a form; fields given as undefined are left out. */
export function askToken(rig: Rig, fields: Record<string, string | undefined> = {}, tenant: string = TENANT): Promise<Reply> {
  const form = { grant_type: 'client_credentials', client_id: APP, client_secret: SECRET, scope: SCOPE, ...fields };
  const known = Object.entries(form).filter((field): field is [string, string] => field[1] !== undefined);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return post(rig.listening, undefined, { path: `/${tenant}/oauth2/v2.0/token`, body: new URLSearchParams(known).toString(), headers });
}

export async function tokenOf(rig: Rig, clientId: string = APP): Promise<string> {
  return (JSON.parse((await askToken(rig, { client_id: clientId })).text) as { access_token: string }).access_token;
}

export interface Upload {
  readonly token: string | undefined;
  readonly rule?: string;
  readonly stream?: string;
  readonly version?: string;
  readonly headers?: Record<string, string>;
}

/** One call of the API with this body, bytes or something to write as JSON. */
export function upload(rig: Rig, body: unknown, { token, rule = RULE, stream = 'Custom-Syslog', version = '2023-01-01', headers }: Upload): Promise<Reply> {
  const path = `/dataCollectionRules/${rule}/streams/${stream}${version === '' ? '' : `?api-version=${version}`}`;
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const all = { 'content-type': 'application/json', 'x-ms-client-request-id': randomUUID(), ...bearer, ...headers };
  return post(rig.listening, undefined, { path, body: Buffer.isBuffer(body) ? body : JSON.stringify(body), headers: all });
}

/** What an answer says: status, and the code in its header and in its body, which must be the same. */
export function codeOf({ status, headers, text }: Reply): string {
  if (text === '') return String(status);
  const { error } = JSON.parse(text) as { error: { code: string } };
  return `${status} ${error.code}${headers['x-ms-error-code'] === error.code ? '' : ' (not in the header)'}`;
}

/** A self-signed certificate with an RSA key, as administrators make them for an app. */
export function appCertificate(notAfter: Date = new Date(Date.now() + 86_400_000)): Identity {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const subject = [['CN', 'relay']] as const;
  const times = { notBefore: new Date(notAfter.getTime() - 86_400_000 * 30), notAfter };
  const der = createCertificate({ subject, issuer: subject, ...times, publicKey: createPublicKey(privateKey), issuerKey: privateKey, authority: false });
  return { certificate: toPem(der), privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
