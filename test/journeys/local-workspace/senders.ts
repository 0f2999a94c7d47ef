/** The three ways in which data comes, each with texts of the test's choice. */
import { randomUUID } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { WrittenDeclaration, WrittenRule } from '../../../src/local-workspace/intake/ingestion/declaration.ts';
import { UPLOAD_PATH } from '../../../src/oms-protocol/paths.ts';
import type { WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { APP, OTHER_APP, SCOPE, SECRET, TENANT } from '../../local-workspace/intake/ingestion/cloud.ts';
import { BANK, onboard, onboardedAgent, PLANT, post, type Reply, type TestAgent } from '../../local-workspace/rig.ts';
import type { Place } from './place.ts';

/** A rule for each workspace, and an app for each rule. */
export const BANK_RULE: string = `dcr-${'b'.repeat(32)}`;
export const PLANT_RULE: string = `dcr-${'c'.repeat(32)}`;

const STREAMS: WrittenRule['streams'] = {
  'Custom-Ledger_CL': {
    table: 'Ledger_CL',
    columns: [
      { name: 'TimeGenerated', type: 'datetime' },
      { name: 'Text', type: 'string' },
      { name: 'Amount', type: 'int' },
    ],
  },
};

/** `APP` may send to the bank's rule, `OTHER_APP` to the plant's. */
export const RULES: WrittenDeclaration = {
  tenantId: TENANT,
  apps: [APP, OTHER_APP].map((clientId) => ({ clientId, secrets: [SECRET] })),
  rules: [
    { immutableId: BANK_RULE, workspace: BANK, streams: STREAMS, allowedApps: [APP] },
    { immutableId: PLANT_RULE, workspace: PLANT, streams: STREAMS, allowedApps: [OTHER_APP] },
  ],
};

/** An agent that is onboarded with its workspace. */
export function agentOf({ listening, clock }: Pick<Place, 'listening' | 'clock'>, workspace: WorkspaceId): Promise<TestAgent> {
  return onboardedAgent(listening(), workspace, clock.now());
}

/** Onboards an agent that was made elsewhere. */
export function onboardAgain({ listening, clock }: Pick<Place, 'listening' | 'clock'>, agent: TestAgent): Promise<Reply> {
  return onboard(listening(), agent, agent.workspaceId, clock.now());
}

/** A syslog envelope as agents send it. */
export function sendSyslog(
  { listening, clock }: Pick<Place, 'listening' | 'clock'>,
  agent: TestAgent,
  messages: readonly string[],
  more: Sent = {},
): Promise<Reply> {
  const Timestamp = new Date(clock.now()).toISOString();
  const items = messages.map((Message) => ({ Timestamp, Host: 'web01', Message }));
  const body = deflateSync(JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: items }));
  return post(listening(), agent.identity, { path: UPLOAD_PATH, body, headers: { 'content-encoding': 'deflate', ...more } });
}

type Sent = Readonly<Record<string, string>>;

/** Records of a custom log, as agents and the Data Collector API send them. */
export function sendCustom(
  { listening }: Pick<Place, 'listening'>,
  agent: TestAgent,
  logType: string,
  records: readonly object[],
  more: Sent = {},
): Promise<Reply> {
  const headers = { 'log-type': logType, 'content-type': 'application/json', ...more };
  return post(listening(), agent.identity, { path: `${UPLOAD_PATH}?api-version=2016-04-01`, body: JSON.stringify(records), headers });
}

/** A token for Logs Ingestion. */
export async function signIn({ listening }: Pick<Place, 'listening'>, app: string): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id: app, client_secret: SECRET, scope: SCOPE };
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const reply = await post(listening(), undefined, { path: `/${TENANT}/oauth2/v2.0/token`, body: new URLSearchParams(form).toString(), headers });
  return (JSON.parse(reply.text) as { readonly access_token: string }).access_token;
}

export interface LedgerCall {
  readonly token: string;
  readonly rule: string;
  readonly records: readonly object[];
}

/** A call of Logs Ingestion. */
export function sendLedger({ listening }: Pick<Place, 'listening'>, { token, rule, records }: LedgerCall): Promise<Reply> {
  const path = `/dataCollectionRules/${rule}/streams/Custom-Ledger_CL?api-version=2023-01-01`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-ms-client-request-id': randomUUID() };
  return post(listening(), undefined, { path, body: JSON.stringify(records), headers });
}
