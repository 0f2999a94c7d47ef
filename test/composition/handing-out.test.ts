import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { directStreams, tokenSource } from '../../src/composition/handing-out.ts';
import type { Agent } from '../../src/management-group/agent.ts';
import type { SignedIn } from '../../src/upstream/sign-in/sign-in.ts';
import { workspacesOptions } from '../../src/workspace/options.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK } from '../management-group/rig.ts';

const AGENT = parseAgentId('99999999-9999-4999-8999-999999999999');
const HOUR_MS = 3_600_000;

function source(found: SignedIn, endsAt?: number): () => Promise<unknown> {
  const give = tokenSource({ token: () => Promise.resolve(found), state: () => ({ endsAt }) }, () => 0);
  return () => give({ agentId: AGENT, stream: 'Custom-Perf_CL' });
}

function problemOf(signIn: object, ingestion: object = {}): string {
  const found = workspacesOptions.safeParse([{ id: BANK, sharedKeyFile: '/k', ingestion, direct: { credential: 'token', signIn } }]);
  return found.success ? 'good' : found.error.issues.map(({ message }) => message).join(' ');
}

describe('handing out tokens', () => {
  it('gives what signing in gives, with its end', async () => {
    assert.deepEqual(await source({ outcome: 'token', token: 't' }, HOUR_MS)(), { token: 't', expiresAt: HOUR_MS });
  });

  it('gives none that lives for more than two hours, and none when there is none', async () => {
    await assert.rejects(source({ outcome: 'token', token: 't' }, 3 * HOUR_MS), /live 2 h at most.*Shorten them/);
    await assert.rejects(source({ outcome: 'none', reason: 'the secret is wrong' }), /the secret is wrong/);
  });

  it('knows the streams that an agent may send straight to: those of its enabled solutions and data types', () => {
    const workspaces = workspacesOptions.parse([
      { id: BANK, sharedKeyFile: '/k', ingestion: { streams: [{ source: 'PERF_BLOB', stream: 'Custom-Other_CL' }] } },
    ]);
    const setting = { isEnabled: true, everyMs: 1, route: 'direct' } as const;
    const settingsOf = (): ReturnType<Parameters<typeof directStreams>[1]['settingsOf']> => [
      { ...setting, name: 'Performance counters', dataTypes: { INSIGHTS_METRICS_BLOB: 'relay' } },
      { ...setting, name: 'Security and Audit', isEnabled: false },
      { ...setting, name: 'Agent Health', route: 'relay', dataTypes: { OPERATION_BLOB: 'direct' } },
    ];
    const streams = directStreams(workspaces, { settingsOf })({ workspaceId: BANK, agentId: AGENT } as Agent);
    assert.deepEqual([...streams].sort(), ['Custom-Operation_CL', 'Custom-Other_CL', 'Custom-Perf_CL']);
  });

  it("refuses a configuration that would hand out the relay's own tokens, or is not complete", () => {
    const app = { tenantId: 't', clientId: 'agents', secretFile: '/s' };
    assert.equal(problemOf(app, { signIn: { clientId: 'relay' } }), 'good');
    assert.equal(problemOf({}), 'good');
    assert.match(problemOf(app, { signIn: { clientId: 'agents' } }), /agents never get the relay's own tokens/);
    assert.match(problemOf({ method: 'managed-identity' }), /that identity is the relay's own/);
    assert.match(problemOf({ tenantId: 't', clientId: 'a' }), /found no secretFile/);
  });
});
