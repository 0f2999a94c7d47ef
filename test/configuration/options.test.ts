import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configurationSchema } from '../../src/configuration/schema.ts';
import * as kinds from '../../src/option-kinds.ts';
import { type Kind, option, quote, section } from '../../src/options.ts';

const ALWAYS_WRONG = [null, {}, [], '', ' ', '\0', 'x'.repeat(2000), Number.NaN];

interface Case {
  readonly name: string;
  readonly kind: Kind<unknown>;
  readonly good: readonly (readonly [found: unknown, value: unknown])[];
  readonly bad: readonly unknown[];
}

const same = (...values: unknown[]): [unknown, unknown][] => values.map((value) => [value, value]);

const CASES: readonly Case[] = [
  {
    name: 'duration',
    kind: kinds.duration({ from: '1s', to: '1h' }),
    good: [
      [' 1s ', 1000],
      ['1h', 3_600_000],
    ],
    bad: ['999ms', '1h1ms', 60, true],
  },
  {
    name: 'size',
    kind: kinds.size({ from: '1KiB', to: '1MiB' }),
    good: [
      ['1KiB', 1024],
      [2048, 2048],
      ['1MiB', 1_048_576],
    ],
    bad: ['1023', 1023, '2MiB', 1.5, -1],
  },
  { name: 'whole number', kind: kinds.wholeNumber(1, 10), good: same(1, 10), bad: [0, 11, 1.5, '5', true] },
  { name: 'port', kind: kinds.port, good: same(1, 65_535), bad: [0, 65_536, '443'] },
  { name: 'flag', kind: kinds.flag, good: same(true, false), bad: ['true', 'yes', 1] },
  {
    name: 'path',
    kind: kinds.path,
    good: [
      ['/a/b', '/a/b'],
      [' keys/c ', 'keys/c'],
    ],
    bad: [5, true],
  },
  { name: 'secret file', kind: kinds.secretFile, good: same('/keys/a', 'keys/a'), bad: [5, 'c2VjcmV0IQ==', 'two\nlines'] },
  { name: 'address', kind: kinds.address, good: same('0.0.0.0', '::', '10.1.2.3'), bad: ['localhost', '256.1.1.1', 'example.org'] },
  { name: 'host', kind: kinds.host, good: same('localhost', '::1', 'redis.example.org'), bad: ['-a', 'a_b', 'a b', 'a..b', 'https://a'] },
  { name: 'certificate name', kind: kinds.certificateName, good: same('relay.example.org', '*.relay.example.org', '10.0.0.5'), bad: ['*', 'a.*.b', '*.*.a'] },
  { name: 'domain', kind: kinds.domain, good: same('relay.local', 'Example.ORG'), bad: ['10.0.0.5', '*.example.org', 'example.org:8443', '.org'] },
  { name: 'domain and port', kind: kinds.domainAndPort, good: same('opinsights.azure.com', 'relay.example.org:8443'), bad: ['a:0', 'a:b', 'a:1:2', ':1'] },
  {
    name: 'https address',
    kind: kinds.httpsAddress,
    good: [
      ['https://relay.example.org:8443/', 'https://relay.example.org:8443'],
      ['https://127.0.0.1', 'https://127.0.0.1'],
    ],
    bad: ['http://a', 'https://a/b', 'https://a?b', 'https://u:p@a', 'https://a#b', 'a'],
  },
  { name: 'choice', kind: kinds.oneOf(['error', 'info']), good: same('info'), bad: ['INFO', 'warn', 0] },
  { name: 'list', kind: kinds.list(kinds.port), good: same([], [1, 2]), bad: [[0], [1, 'x'], new Array(1025).fill(1), 5] },
];

describe('kinds of options', () => {
  for (const { name, kind, good, bad } of CASES) {
    for (const [found, value] of good) {
      it(`takes ${quote(found)} as ${name}`, () => assert.deepEqual(kind.read(found), value));
    }
    it(`refuses what is no ${name}`, () => {
      const wrong = [...bad, ...ALWAYS_WRONG.filter((each) => name !== 'list' || !Array.isArray(each))];
      for (const found of wrong) assert.equal(kind.read(found), undefined, JSON.stringify(found));
    });
  }

  it('reads an environment variable as its kind', () => {
    assert.equal(kinds.port.fromText('8443'), 8443);
    assert.equal(kinds.port.fromText('8443x'), '8443x');
    assert.equal(kinds.flag.fromText('true'), true);
    assert.equal(kinds.flag.fromText('constructor'), 'constructor');
    assert.deepEqual(kinds.list(kinds.port).fromText('1, 2,,x'), [1, 2, 'x']);
    assert.deepEqual(kinds.list(kinds.host).fromText(''), []);
  });
});

describe('a section', () => {
  const schema = section<{ on: boolean }>({ on: option(kinds.flag, true, 'Whether.') });

  it('holds its defaults when it is left out or left empty', () => {
    for (const found of [undefined, null, {}]) assert.deepEqual(schema.parse(found), { on: true });
  });

  it('refuses names it does not know, also those every object has', () => {
    for (const text of ['{"off":true}', '{"__proto__":{"on":false}}', '{"constructor":1}']) {
      assert.equal(schema.safeParse(JSON.parse(text)).success, false, text);
    }
  });
});

describe('the values found', () => {
  it('are shown without the password of an address, on one line and cut to 80 characters', () => {
    assert.equal(quote('https://user:se/c@ret@host/'), '"https://[secret]@host/"');
    assert.equal(quote('a\nb'), '"a\\nb"');
    assert.ok(quote('x'.repeat(500)).length <= 80);
  });
});

it('the schema gives every option its default when nothing is set', () => {
  const { retry, cache, intake, managementGroup, workspaces } = configurationSchema.parse(undefined);
  assert.deepEqual(retry, { every: 480_000, window: 7_200_000 });
  assert.deepEqual([cache.limit, cache.groupBatches, cache.groupSize, cache.limitPerWorkspace], [undefined, 32, 2 ** 20, undefined]);
  assert.deepEqual([intake.address, intake.port, intake.maxInflatedSize], ['0.0.0.0', 8443, 32 * 2 ** 20]);
  assert.deepEqual([managementGroup.approve, workspaces], ['none', []]);
});
