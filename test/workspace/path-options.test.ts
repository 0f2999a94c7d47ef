import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PathOptions, pathOptions } from '../../src/workspace/path-options.ts';

const PROXY = { host: 'proxy.example.org' };
const BY_CIRCUIT = { kind: 'expressroute', peers: ['20.0.0.0/8'], sourceAddress: '10.2.0.2' };

const GOOD: readonly object[] = [
  {},
  { kind: 'public', sourceAddress: '10.1.0.2' },
  { kind: 'public', nameServers: ['10.0.0.53'] },
  { kind: 'proxy', proxy: PROXY },
  { kind: 'proxy', proxy: { ...PROXY, user: 'relay', passwordFile: '/keys/proxy', except: ['a.example.org', '*.corp.example.org', '10.0.0.0/8'] } },
  BY_CIRCUIT,
  { kind: 'expressroute', peers: ['20.0.0.0/8', '2603:1000::/24'], interface: 'eth1' },
  { ...BY_CIRCUIT, addresses: ['20.1.2.3'] },
  { ...BY_CIRCUIT, gateway: '10.2.0.1' },
  { kind: 'public', interface: 'eth1', gateway: 'fd00::1' },
  { kind: 'private-link' },
  { kind: 'private-link', nameServers: ['10.1.0.4', '10.1.0.5:5353', 'fd00::5', '[fd00::5]:53'], peers: ['100.64.0.0/10'] },
  { kind: 'private-link', addresses: ['10.1.0.7'], interface: 'eth2' },
];

const BAD: readonly (readonly [options: object, problem: RegExp])[] = [
  [{ kind: 'proxy' }, /proxy\.host.*needs it/],
  [{ kind: 'public', proxy: PROXY }, /proxy.*kind public never uses one/],
  [{ ...BY_CIRCUIT, proxy: PROXY }, /proxy.*kind expressroute never uses one/],
  [{ kind: 'private-link', proxy: { except: ['a'] } }, /proxy.*kind private-link never uses one/],
  [{ kind: 'proxy', proxy: { ...PROXY, user: 'relay' } }, /proxy\.passwordFile.*go together/],
  [{ kind: 'proxy', proxy: { ...PROXY, passwordFile: '/keys/proxy' } }, /proxy\.passwordFile.*without a user/],
  [{ kind: 'proxy', proxy: { ...PROXY, user: 'a:b', passwordFile: '/k' } }, /proxy\.user.*without a colon/],
  [{ kind: 'proxy', proxy: { ...PROXY, except: ['a b'] } }, /proxy\.except.*a host name/],
  [{ kind: 'expressroute', sourceAddress: '10.2.0.2' }, /peers.*found none/],
  [{ kind: 'expressroute', peers: ['20.0.0.0/8'] }, /sourceAddress.*or interface/],
  [{ kind: 'public', peers: ['20.0.0.0/8'] }, /peers.*takes any address/],
  [{ ...BY_CIRCUIT, peers: ['20.0.0.0/33'] }, /peers.*a prefix such as/],
  [{ ...BY_CIRCUIT, sourceAddress: 'eth1' }, /sourceAddress.*an IP address/],
  [{ kind: 'expressroute', peers: ['20.0.0.0/8'], interface: 'a/b' }, /interface.*name of a network interface/],
  [{ kind: 'proxy', proxy: PROXY, nameServers: ['10.0.0.53'] }, /nameServers.*the proxy asks/],
  [{ kind: 'private-link', nameServers: ['10.1.0.4'], addresses: ['10.1.0.7'] }, /addresses.*one of them/],
  [{ kind: 'private-link', nameServers: ['dns.example.org'] }, /nameServers.*an IP address/],
  [{ kind: 'private-link', nameServers: ['10.1.0.4:0'] }, /nameServers.*an IP address/],
  [{ kind: 'public', gateway: '10.2.0.1' }, /gateway.*neither sourceAddress nor interface/],
  [{ ...BY_CIRCUIT, gateway: 'fd00::1' }, /gateway.*both IPv4, or both IPv6/],
  [{ ...BY_CIRCUIT, gateway: 'router' }, /gateway.*an IP address/],
  [{ kind: 'vpn' }, /kind.*one of/],
];

describe('the options of a path', () => {
  for (const options of GOOD) {
    it(`takes ${JSON.stringify(options)}`, () => {
      const read: PathOptions = pathOptions.parse(options);
      assert.deepEqual({ ...read, proxy: undefined }, { ...read, ...options, proxy: undefined });
    });
  }

  for (const [options, problem] of BAD) {
    it(`refuses ${JSON.stringify(options)} in words`, () => {
      const { error } = pathOptions.safeParse(options);
      const problems = error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
      assert.ok(
        problems.some((each) => problem.test(each)),
        problems.join('\n'),
      );
    });
  }
});
