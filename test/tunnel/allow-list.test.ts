import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configurationSchema } from '../../src/configuration/schema.ts';
import { createAllowList } from '../../src/tunnel/allow-list.ts';
import { isForbiddenAddress } from '../../src/tunnel/forbidden-addresses.ts';
import { tunnelOptions } from '../../src/tunnel/options.ts';
import { REFUSAL_REASONS, ruleOf } from '../../src/tunnel/refusals.ts';
import { readTarget } from '../../src/tunnel/target.ts';
import { cloudHostsOf, endpointsOf, type TunnelWorkspace } from '../../src/tunnel/well-known-hosts.ts';

const ID = '11111111-1111-4111-8111-111111111111';

function judgeWith(
  workspaces: readonly TunnelWorkspace[],
  { allowHosts = [], regions = [] }: { allowHosts?: string[]; regions?: string[] } = {},
): (authority: string) => string {
  const judge = createAllowList({ endpoints: endpointsOf(workspaces), hosts: [...cloudHostsOf(workspaces, regions), ...allowHosts] });
  return (authority: string): string => {
    const target = readTarget(authority);
    if (!target) return 'no target';
    const verdict = judge(target);
    return verdict.allowed ? (verdict.isEndpoint ? 'endpoint' : 'allowed') : verdict.refusal.reason;
  };
}

describe('the hosts a tunnel may lead to', () => {
  it('are the address that an agent sends to straight, with exactly its port', () => {
    const endpoint = 'https://relay.example.org:9443';
    const judge = judgeWith([{ id: ID, domain: 'opinsights.azure.com', endpoint, direct: { endpoint: 'https://localhost:9444' } }]);
    assert.deepEqual(['relay.example.org:9443', 'localhost:9444', 'localhost:443'].map(judge), ['endpoint', 'endpoint', 'port']);
  });

  it("are a workspace's own, and its cloud's", () => {
    const judge = judgeWith([{ id: ID, domain: 'opinsights.azure.com' }]);
    assert.equal(judge(`${ID}.ods.opinsights.azure.com:443`), 'endpoint');
    assert.equal(judge(`${ID.toUpperCase()}.OMS.opinsights.azure.com.:443`), 'endpoint');
    assert.equal(judge('22222222-2222-4222-8222-222222222222.ods.opinsights.azure.com:443'), 'host');
    for (const host of [
      'dce-1.westeurope-1.ingest.monitor.azure.com',
      'global.handler.control.monitor.azure.com',
      'login.microsoftonline.com',
      'management.azure.com',
    ])
      assert.equal(judge(`${host}:443`), 'allowed', host);
    assert.equal(judge('login.microsoftonline.com:80'), 'port');
    for (const host of [
      'ingest.monitor.azure.com',
      'xingest.monitor.azure.com',
      'login.microsoftonline.com.evil.test',
      'a.blob.core.windows.net',
      '10.0.0.1',
      '[::1]',
    ])
      assert.equal(judge(`${host}:443`), 'host', host);
  });

  it('are those of the regions given, and of the cloud that the workspace is in', () => {
    const judge = judgeWith([{ id: ID, domain: 'opinsights.azure.us' }], { regions: ['usgovvirginia'] });
    assert.equal(judge('dce.usgovvirginia-1.ingest.monitor.azure.us:443'), 'allowed');
    assert.equal(judge('usgovvirginia.handler.control.monitor.azure.us:443'), 'allowed');
    assert.equal(judge('dce.usgovtexas-1.ingest.monitor.azure.us:443'), 'host');
    assert.equal(judge('dce.usgovvirginia-1.ingest.monitor.azure.com:443'), 'host');
  });

  it('are, for a workspace elsewhere, exactly its endpoint', () => {
    const judge = judgeWith([
      { id: ID, domain: 'opinsights.azure.com', endpoint: 'https://Local.test:9443' },
      { id: ID, domain: 'relay.example.org:8443', direct: { endpoint: 'https://direct.example.org:7443' } },
      { id: ID, domain: 'opinsights.azure.com', endpoint: 'https://[::1]:9443' },
    ]);
    assert.equal(judge('local.test:9443'), 'endpoint');
    assert.equal(judge('local.test:443'), 'port');
    assert.equal(judge('direct.example.org:7443'), 'endpoint');
    assert.equal(judge(`${ID}.oms.relay.example.org:8443`), 'endpoint');
    assert.equal(judge('[0:0:0:0:0:0:0:1]:9443'), 'endpoint');
    assert.equal(judge('login.microsoftonline.com:443'), 'host');
  });

  it("are the operator's", () => {
    const judge = judgeWith([], { allowHosts: ['A.example.org', '*.b.example.org', '10.0.0.7'] });
    assert.equal(judge('a.EXAMPLE.org:443'), 'allowed');
    assert.equal(judge('x.y.b.example.org:443'), 'allowed');
    assert.equal(judge('b.example.org:443'), 'host');
    assert.equal(judge('10.0.0.7:443'), 'allowed');
    assert.equal(judge('10.0.0.8:443'), 'host');
    assert.equal(judge('10.0.0.7:22'), 'port');
  });

  it('are asked for as host and port', () => {
    for (const bad of [
      '',
      'a',
      'a:',
      'a:0',
      'a:70000',
      ':443',
      '.:443',
      'a b:443',
      'u@a:443',
      '[a]:443',
      '[10.0.0.1]:443',
      '::1:443',
      'http://a:443',
      `${'a'.repeat(300)}:443`,
    ])
      assert.equal(readTarget(bad), undefined, bad);
    assert.deepEqual(readTarget('[FE80::1]:443'), { host: 'fe80::1', port: 443 });
  });

  it('do not lie on this machine or this link, under any spelling', () => {
    for (const bad of [
      '127.0.0.1',
      '127.9.9.9',
      '0.0.0.0',
      '169.254.169.254',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      'fe80::1',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::ffff:a9fe:a9fe',
      '64:ff9b::7f00:1',
    ])
      assert.equal(isForbiddenAddress(bad), true, bad);
    for (const good of ['10.1.2.3', '192.168.1.1', '20.42.65.90', 'fd00::1', '2603:1030::1', '::ffff:10.0.0.1'])
      assert.equal(isForbiddenAddress(good), false, good);
  });
});

describe("the tunnel's options", () => {
  const problemsOf = (found: unknown): string[] =>
    tunnelOptions.safeParse(found).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

  it('refuse what cannot work', () => {
    assert.deepEqual(problemsOf({}), []);
    assert.equal(problemsOf({ clients: 'addresses' }).length, 1);
    assert.equal(problemsOf({ allowHosts: ['*'] }).length, 1);
    assert.equal(problemsOf({ allowHosts: ['*.10.0.0.1'] }).length, 1);
    assert.equal(problemsOf({ clients: 'addresses', clientAddresses: ['10.0.0.0/33'] }).length, 1);
    assert.equal(problemsOf({ upstreamProxy: { host: 'p', user: 'u' } }).length, 1);
    assert.equal(problemsOf({ upstreamProxy: { user: 'u', passwordFile: '/p' } }).length, 1);
    assert.deepEqual(problemsOf({ clients: 'addresses', clientAddresses: ['10.0.0.0/8', '::1'], allowHosts: ['*.a.test', 'b.test', '::1'] }), []);
  });

  it('keep its port apart from the others', () => {
    const isRefused = (tunnel: object): boolean =>
      (configurationSchema.safeParse({ tunnel }).error?.issues ?? []).some(({ path }) => path.join('.') === 'tunnel.port');
    assert.equal(isRefused({ enabled: true, port: 8443 }), true);
    assert.equal(isRefused({ enabled: true, port: 9464 }), true);
    assert.equal(isRefused({ enabled: false, port: 8443 }), false);
    assert.equal(isRefused({ enabled: true }), false);
  });

  it('leave the tunnel shut', () => assert.equal(tunnelOptions.parse({}).enabled, false));
});

describe("the tunnel's refusals", () => {
  it('each say what to do, and have an event of the Log Analytics gateway', () => {
    for (const reason of REFUSAL_REASONS) {
      const { status, meaning, gatewayEvent } = ruleOf(reason);
      assert.match(meaning, /^[A-Z].*\.$/, reason);
      assert.ok(status >= 400 && status < 600, reason);
      assert.ok([102, 104, 105, 106, 402, 403].includes(gatewayEvent), reason);
    }
  });
});
