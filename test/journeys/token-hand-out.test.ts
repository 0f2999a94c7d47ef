import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { DIRECT_TOKEN_PATH } from '../../src/check-in/agent-configuration.ts';
import { declarationOf, OTHER_APP, RULE, SECRET, TENANT } from '../local-workspace/intake/ingestion/cloud.ts';
import type { Answer, Machine } from '../support/fleet.ts';
import { BANK, startSite, type Upstream } from '../support/site.ts';

const STREAM = 'Custom-Perf_CL';

/** The application whose tokens agents get is not the relay's. */
function withTokens({ local, dataFolder, listening }: Upstream): Record<string, unknown> {
  const columns = [{ name: 'Computer', type: 'string' as const }];
  local.declare(declarationOf({ workspace: BANK, streams: { [STREAM]: { table: 'Perf_CL', columns } }, allowedApps: [OTHER_APP] }));
  const secretFile = join(dataFolder, 'agents.secret');
  writeFileSync(secretFile, SECRET, { mode: 0o600 });
  const signIn = { tenantId: TENANT, clientId: OTHER_APP, secretFile, authority: listening.url, trustFile: listening.rootPath };
  return { credential: 'token', ruleId: RULE, signIn };
}

function ask(machine: Machine, stream: string): Promise<Answer> {
  return machine.post(DIRECT_TOKEN_PATH, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify({ stream })));
}

async function auditIn(dataFolder: string): Promise<string> {
  const folder = join(dataFolder, 'audit');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl') || name.endsWith('.log'));
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}

describe('tokens for the direct way', () => {
  it('are handed out to approved agents for their own streams, never the relay’s own, and the workspace takes them', async () => {
    await using site = await startSite({ directTo: withTokens });
    const [machine] = await site.machines(1);
    assert.ok(machine);

    const given = await ask(machine, STREAM);
    assert.equal(given.status, 200, given.text);
    const { token, expiresAt } = JSON.parse(given.text) as { token: string; expiresAt: number };
    assert.ok(expiresAt > Date.now());
    const { appid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { appid: string };
    assert.equal(appid, OTHER_APP);

    const refused = await ask(machine, 'Custom-Secrets_CL');
    assert.equal(refused.status, 403, refused.text);
    assert.match(refused.text, /goes straight to the stream Custom-Secrets_CL/);

    const { listening, local } = site.upstream();
    const path = `${listening.url}/dataCollectionRules/${RULE}/streams/${STREAM}?api-version=2023-01-01`;
    await using workspace = { agent: new Agent({ connect: { ca: listening.rootPem } }), [Symbol.asyncDispose]: () => workspace.agent.destroy() };
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = await request(path, { method: 'POST', headers, body: '[{"Computer":"web-1"}]', dispatcher: workspace.agent });
    await sent.body.dump();
    assert.equal(sent.statusCode, 204);
    assert.equal((await local.rows(BANK, 'Perf_CL')).length, 1);

    const audit = await auditIn(site.relay.dataFolder);
    assert.match(audit, /token\.hand-out[^\n]*"done"/);
    assert.match(audit, /token\.hand-out[^\n]*"refused"/);
    for (const text of [audit, site.relay.log()]) assert.ok(!text.includes(token) && !text.includes(SECRET));
  });
});
