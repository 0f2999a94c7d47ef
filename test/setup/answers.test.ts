import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { BANK, FULL, PEM, PLANT, read, SECRET, SHARED_KEY, SMALL } from './given.ts';

const { workspace: WORKSPACE } = SMALL;

const GOOD: readonly (readonly [what: string, answers: object])[] = [
  ['nothing but a name', { name: 'relay-01' }],
  ['the small case', SMALL],
  ['every answer there is', FULL],
  ['an address of IPv6 with a router known by its link', { name: 'r', address: 'fd00::5/64', gateway: 'fe80::1' }],
  ['an address without a gateway: a proxy may stand in the same network', { name: 'r', address: '10.1.0.5/24' }],
  ['management by where it comes from', { name: 'r', management: { networks: ['10.20.0.0/16'] } }],
  ['no workspace yet', { name: 'r', workspaces: [] }],
  ['a workspace left empty by a form', { name: 'r', workspace: null }],
];

const BAD: readonly (readonly [answers: unknown, ...problems: readonly RegExp[]])[] = [
  [{}, /^ {2}relay\.name: missing; a host name/m],
  ['relay-01', /^ {2}relay: found "relay-01"/m],
  [{ name: 'a name' }, /relay\.name: found "a name"/],
  [{ name: 'x'.repeat(65) }, /relay\.name: found .*64 characters at most/],
  [{ name: 'r', gatway: '10.1.0.1' }, /relay\.gatway: unknown answer; did you mean gateway\?/],
  [{ name: 'r', address: '10.1.0.5' }, /relay\.address: found "10\.1\.0\.5"; dhcp, or an address with the length/],
  [{ name: 'r', address: '10.1.0.5/33' }, /relay\.address/],
  [{ name: 'r', address: 'dhcp', gateway: '10.1.0.1' }, /relay\.gateway: found, but it acts only with an address/],
  [{ name: 'r', gateway: '10.1.0.1' }, /relay\.gateway: found, but it acts only/],
  [{ name: 'r', address: '10.1.0.5/24', gateway: '10.2.0.1' }, /relay\.gateway: found 10\.2\.0\.1; an address in the network of 10\.1\.0\.5\/24/],
  [{ name: 'r', address: '10.1.0.5/24', gateway: '10.1.0.5' }, /relay\.gateway: .*not that address itself/],
  [{ name: 'r', address: '10.1.0.5/24', gateway: 'fd00::1' }, /relay\.gateway: found fd00::1/],
  [{ name: 'r', dns: ['dns.example.org'] }, /relay\.dns\[0\]: found "dns\.example\.org"; an IP address/],
  [{ name: 'r', interface: 'eth0', management: { interface: 'eth0' } }, /relay\.management\.interface: found the agents' interface/],
  [{ name: 'r', management: { address: '10.9.0.5/24' } }, /relay\.management\.interface: missing/],
  [{ name: 'r', management: { interface: 'eth1', address: '10.9.0.5/24', gateway: '10.9.0.1' } }, /relay\.management\.gateway: .*with management\.networks/],
  [
    { name: 'r', management: { interface: 'eth1', address: '10.9.0.5/24', gateway: '10.8.0.1', networks: ['10.0.0.0/8'] } },
    /relay\.management\.gateway: found 10\.8\.0\.1/,
  ],
  [{ name: 'r', workspace: { id: 'bank' } }, /relay\.workspace\.id: found "bank"; a workspace id, a GUID/],
  [{ name: 'r', workspaces: [{ id: BANK }, { id: 'x' }] }, /relay\.workspaces\[1\]\.id/],
  [{ name: 'r', workspace: { ...WORKSPACE, secret: SECRET } }, /relay\.workspace\.secret: found, but only the protocol logs-ingestion uses it/],
  [{ name: 'r', workspace: { ...WORKSPACE, ruleId: `dcr-${'0'.repeat(32)}` } }, /relay\.workspace\.sharedKey: found, but the protocol logs-ingestion signs in/],
  [{ name: 'r', workspace: { ...WORKSPACE, enrolmentKey: { approve: 'all' } } }, /relay\.workspace\.enrolmentKey\.name: missing/],
  [{ name: 'r', workspace: { ...WORKSPACE, enrolmentKey: { name: 'Site_1' } } }, /relay\.workspace\.enrolmentKey\.name: found "Site_1"/],
  [{ name: 'r', workspaces: [WORKSPACE, { ...WORKSPACE, id: PLANT }] }, /relay\.workspaces: found the enrolment key site more than once/],
  [{ name: 'r', sshKeys: ['AAAAC3Nz'] }, /relay\.sshKeys\[0\]: found "AAAAC3Nz"; a public key/],
  [{ name: 'r', workspace: { id: BANK, trust: 'a certificate' } }, /relay\.workspace\.trust: found something that is not shown here; certificates in PEM/],
  [{ name: 'r', tunnel: 'maybe' }, /relay\.tunnel: found "maybe"; true or false/],
  [{ name: 'r', cacheLimit: 'much' }, /relay\.cacheLimit: found "much"; a size/],
  [{ name: 'a b', dns: ['x'], workspace: { id: 'y' } }, /3 problems/, /^ {2}relay\.name/m, /^ {2}relay\.dns\[0\]/m, /^ {2}relay\.workspace\.id/m],
];

describe('answers', () => {
  for (const [what, answers] of GOOD) it(`may be ${what}`, () => assert.ok(read(answers).name));

  for (const [answers, ...problems] of BAD) {
    it(`are refused in words: ${JSON.stringify(answers).slice(0, 100)}`, () => {
      assert.throws(
        () => read(answers, 'relay.'),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'relay.setup.bad-answers');
          for (const problem of problems) assert.match(error.message, problem);
          return true;
        },
      );
    });
  }
});

test('a secret in the wrong form is never shown', () => {
  const leaky = { name: 'r', workspace: { id: BANK, sharedKey: 'not base64, but a secret', path: { proxy: { password: ['secret'] } }, trust: 'secret' } };
  assert.throws(
    () => read(leaky),
    (error: Error) => !/secret"|not base64/.test(error.message),
  );
});

test('a secret that was struck out of a copy counts as not given: the credential store has it', () => {
  const [struck] = read({ ...SMALL, workspace: { ...WORKSPACE, sharedKey: '*'.repeat(SHARED_KEY.length) } }).workspaces;
  assert.equal(struck?.sharedKey, undefined);
  assert.equal(read(SMALL).workspaces[0]?.sharedKey, SHARED_KEY);
});

test('a certificate that a form made one line of is put right, and what stands beside it is left out', () => {
  const oneLine = `subject=root ${PEM.replaceAll('\n', ' ')} ${PEM.replaceAll('\n', ' ')}`;
  assert.equal(read({ name: 'r', workspace: { id: BANK, trust: oneLine } }).workspaces[0]?.trust, PEM + PEM);
  assert.throws(() => read({ name: 'r', workspace: { id: BANK, trust: `${PEM}-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n` } }), /trust/);
});
