import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPrivate, plainAddress, prefixes } from '../../../src/upstream/path/addresses.ts';
import { isExcepted, judgeAddresses, judgeEnds } from '../../../src/upstream/path/judge.ts';
import type { PathOptions } from '../../../src/workspace/path-options.ts';

const PRIVATE = ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fdff::1', '::ffff:10.0.0.1', 'fd00::1%eth0'];
const NOT_PRIVATE = [
  '9.255.255.255',
  '11.0.0.1',
  '172.15.255.255',
  '172.32.0.1',
  '192.169.0.1',
  '127.0.0.1',
  '100.64.0.1',
  '169.254.0.1',
  '::1',
  'fe80::1',
  'fbff::1',
  'fe00::1',
  '::ffff:8.8.8.8',
  '2603:1030::1',
  'dce.example.org',
  '',
];

interface Case {
  readonly kind: PathOptions['kind'];
  readonly peers?: readonly string[];
  readonly addresses: readonly string[];
  /** Undefined when it may be connected to. */
  readonly refused?: string;
}

const CASES: readonly Case[] = [
  { kind: 'public', addresses: ['20.1.2.3', '10.0.0.1'] },
  { kind: 'proxy', addresses: ['20.1.2.3'] },
  { kind: 'expressroute', peers: ['20.0.0.0/8'], addresses: ['20.1.2.3'] },
  { kind: 'expressroute', peers: ['20.0.0.0/8', '2603:1000::/24'], addresses: ['20.1.2.3', '2603:1030::1'] },
  { kind: 'expressroute', peers: ['20.0.0.0/8'], addresses: ['20.1.2.3', '13.1.2.3'], refused: 'not-a-peer' },
  { kind: 'expressroute', peers: ['20.0.0.0/8'], addresses: ['10.0.0.1'], refused: 'not-a-peer' },
  { kind: 'expressroute', peers: [], addresses: ['20.1.2.3'], refused: 'not-a-peer' },
  { kind: 'private-link', addresses: ['10.1.0.4', 'fd00::4'] },
  { kind: 'private-link', addresses: ['10.1.0.4', '20.1.2.3'], refused: 'not-private' },
  { kind: 'private-link', addresses: ['20.1.2.3'], refused: 'not-private' },
  { kind: 'private-link', peers: ['100.64.0.0/10'], addresses: ['100.64.1.1', '10.1.0.4'] },
  { kind: 'private-link', peers: ['100.64.0.0/10'], addresses: ['100.128.0.1'], refused: 'not-private' },
  { kind: 'private-link', addresses: ['::ffff:20.1.2.3'], refused: 'not-private' },
];

describe('the rules of the roads', () => {
  it('knows private addresses, in every spelling', () => {
    for (const address of PRIVATE) assert.ok(isPrivate(address), address);
    for (const address of NOT_PRIVATE) assert.ok(!isPrivate(address), address);
  });

  it('has one spelling for an address', () => {
    const spellings = {
      '::ffff:192.0.2.1': '192.0.2.1',
      '::ffff:c000:201': '192.0.2.1',
      'FD00:0::0004': 'fd00::4',
      'fe80::1%eth0': 'fe80::1',
      '10.0.0.1': '10.0.0.1',
    };
    for (const [address, plain] of Object.entries(spellings)) assert.equal(plainAddress(address), plain);
  });

  it('finds an address in prefixes and single addresses', () => {
    const contains = prefixes(['20.0.0.0/8', '192.0.2.7', '2603::/16']);
    assert.deepEqual(['20.255.0.1', '192.0.2.7', '2603:1::1', '::ffff:20.0.0.1'].map(contains), [true, true, true, true]);
    assert.deepEqual(['21.0.0.1', '192.0.2.8', '2604::1', 'x'].map(contains), [false, false, false, false]);
  });

  for (const { kind, peers = [], addresses, refused } of CASES) {
    it(`${kind} [${peers.join(', ')}] and ${addresses.join(', ')}: ${refused ?? 'allowed'}`, () => {
      const judgement = judgeAddresses({ kind, peers }, { host: 'dce.example.org', addresses, chain: ['x.privatelink.example.org'], by: 'system' });
      assert.equal(judgement.allowed ? undefined : judgement.reason, refused);
      if (!judgement.allowed) assert.match(judgement.message, /^dce\.example\.org leads to .*by system, over x\.privatelink.*Nothing is sent/);
    });
  }

  it('takes a socket only when both ends are the ones decided on', () => {
    const wanted = { addresses: ['20.1.2.3', 'fd00::4'], source: '10.2.0.2' };
    const reasonOf = (localAddress: string | undefined, remoteAddress: string | undefined): string => {
      const judgement = judgeEnds({ localAddress, remoteAddress }, wanted);
      return judgement.allowed ? 'allowed' : judgement.reason;
    };
    assert.equal(reasonOf('10.2.0.2', '20.1.2.3'), 'allowed');
    assert.equal(reasonOf('::ffff:10.2.0.2', '::ffff:20.1.2.3'), 'allowed');
    assert.equal(reasonOf('10.2.0.3', '20.1.2.3'), 'other-source');
    assert.equal(reasonOf(undefined, '20.1.2.3'), 'other-source');
    assert.equal(reasonOf('10.2.0.2', '20.1.2.4'), 'other-peer');
    assert.equal(reasonOf('10.2.0.2', undefined), 'other-peer');
  });

  it('leaves the proxy out for names, suffixes and prefixes only', () => {
    const except = ['inside.example.org', '*.corp.example.org', '10.0.0.0/8', 'fd00::/8', '192.0.2.7'];
    for (const host of ['inside.example.org', 'INSIDE.example.org.', 'a.corp.example.org', 'a.b.corp.example.org', '10.1.2.3', 'fd00::9', '192.0.2.7'])
      assert.ok(isExcepted(host, except), host);
    for (const host of [
      'x.inside.example.org',
      'corp.example.org',
      'badcorp.example.org',
      '11.0.0.1',
      '192.0.2.8',
      '2001:db8::1',
      'inside.example.org.evil.test',
    ])
      assert.ok(!isExcepted(host, except), host);
  });
});
