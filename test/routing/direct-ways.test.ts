import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/logger.ts';
import { type DirectWays, readDirectWays } from '../../src/routing/direct-ways.ts';
import { type WorkspaceOptions, workspacesOptions } from '../../src/workspace/options.ts';
import { SHUT, STRAIGHT } from './rig.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----';

function workspace(direct: object, more: object = {}): WorkspaceOptions {
  const [found] = workspacesOptions.parse([{ id: STRAIGHT, sharedKeyFile: '/k', direct, ...more }]);
  return found ?? assert.fail('no workspace');
}

function ways(one: WorkspaceOptions, { tokens = false, tunnelAddress = '', port = 0, text = PEM, isTunnelForAgents = false } = {}): Promise<DirectWays> {
  return readDirectWays({
    workspaces: [one],
    tokens: { has: () => tokens },
    ruleOf: () => ({ id: 'dcr', streams: { A_BLOB: 'Custom-A_CL' } }),
    tunnelAddress: tunnelAddress || undefined,
    tunnelPort: () => port || undefined,
    isTunnelForAgents,
    readFile: () => Promise.resolve(text),
    log: silentLogger,
  });
}

describe('the direct way to a workspace', () => {
  it('is there only where the configuration says how agents sign in', async () => {
    const none = await ways(workspace({}));
    assert.deepEqual([none.has(STRAIGHT), none.wayTo(STRAIGHT, 'r')], [false, undefined]);
    const open = await ways(workspace({ credential: 'certificate' }));
    assert.deepEqual([open.has(STRAIGHT), open.has(SHUT)], [true, false]);
    assert.deepEqual(open.wayTo(STRAIGHT, 'r'), { endpoint: `https://${STRAIGHT}.ods.opinsights.azure.com`, trust: [], credential: 'certificate' });
  });

  it('is not there where a workspace wants tokens and nobody gives them', async () => {
    assert.equal((await ways(workspace({ credential: 'token' }))).has(STRAIGHT), false);
    const way = (await ways(workspace({ credential: 'token' }, { ingestion: { endpoint: 'https://rules.test' } }), { tokens: true })).wayTo(STRAIGHT, 'r');
    assert.equal(way?.credential, 'token');
    assert.deepEqual([way.endpoint, way.rule], ['https://rules.test', { id: 'dcr', streams: { A_BLOB: 'Custom-A_CL' } }]);
    assert.equal((await ways(workspace({ credential: 'certificate' }))).wayTo(STRAIGHT, 'r')?.rule, undefined);
  });

  it('has an address and authorities of its own, else those of the workspace', async () => {
    const own = { endpoint: 'https://a.test:9443', trustFile: '/t' };
    const asRelay = (await ways(workspace({ credential: 'certificate' }, own), { text: `${PEM}\n${PEM}` })).wayTo(STRAIGHT, 'r');
    assert.deepEqual([asRelay?.endpoint, asRelay?.trust], ['https://a.test:9443', [PEM, PEM]]);
    const other = (await ways(workspace({ credential: 'certificate', endpoint: 'https://b.test' }, own))).wayTo(STRAIGHT, 'r');
    assert.equal(other?.endpoint, 'https://b.test');
    await assert.rejects(ways(workspace({ credential: 'certificate' }, own), { text: 'no pem' }), {
      code: 'relay.routing.bad-trust-file',
      message: /it holds 0/,
    });
  });

  const proxies: [proxy: string, settings: object, expected: string | undefined][] = [
    ['none', { port: 8080 }, undefined],
    ['tunnel', { port: 8080 }, 'relay.test:8080'],
    ['tunnel', { port: 8080, isTunnelForAgents: true }, 'https://relay.test:8080'],
    ['tunnel', {}, undefined],
    ['tunnel', { port: 8080, tunnelAddress: 't.test:99' }, 't.test:99'],
    ['proxy.test:3128', { port: 8080 }, 'proxy.test:3128'],
  ];
  for (const [proxy, settings, expected] of proxies) {
    it(`goes through ${expected ?? 'no proxy'} with ${proxy} and ${JSON.stringify(settings)}`, async () => {
      assert.equal((await ways(workspace({ credential: 'certificate', proxy }), settings)).wayTo(STRAIGHT, 'relay.test')?.proxy, expected);
    });
  }
});
