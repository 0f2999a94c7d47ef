import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asWritten, optionReference, referenceTable, writeBetweenMarkers } from '../../src/configuration/reference.ts';
import { configurationSchema } from '../../src/configuration/schema.ts';

// Paths of everything a value holds, items of a list as [].
function leavesOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object') ? [path] : value.flatMap((item) => leavesOf(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, member]) => leavesOf(member, path === '' ? key : `${path}.${key}`));
}

const SIGN_IN = {
  tenantId: 't',
  clientId: 'c',
  secretFile: '/s',
  secretEndsAt: '2027-03-31',
  certificateFile: '/c',
  authority: 'https://a',
  trustFile: '/t',
};

const ROAD = {
  kind: 'proxy',
  proxy: { host: 'p', user: 'u', passwordFile: '/p', trustFile: '/t' },
  sourceAddress: '192.0.2.1',
  interface: 'eth0',
  gateway: '192.0.2.254',
};

const EVERYTHING = {
  managementGroup: {
    approve: [{ hostName: 'a*', enrolmentKey: 'k', group: 'g' }],
    groups: [{ name: 'g', match: 'a*', workspace: '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f' }],
  },
  authority: { serverNames: ['a.example.org'], serverCertificateFile: '/c', serverKeyFile: '/k' },
  cache: { limit: '10GiB', limitPerWorkspace: '1GiB', keyFile: '/k', redis: { socket: '/s', passwordFile: '/p' } },
  upstream: { maxRate: '1MiB' },
  metrics: { user: 'u', passwordFile: '/p', tokenFile: '/t' },
  tracing: { endpoint: 'http://127.0.0.1:4318/v1/traces', tokenFile: '/t', trustFile: '/r' },
  tunnel: { upstreamProxy: { host: 'p', user: 'u', passwordFile: '/p' } },
  workspaces: [
    {
      id: '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f',
      name: 'a',
      endpoint: 'https://a',
      sharedKeyFile: '/k',
      trustFile: '/t',
      direct: { endpoint: 'https://b', ruleId: `dcr-${'0'.repeat(32)}`, trustFile: '/d', signIn: { ...SIGN_IN, clientId: 'another' } },
      ingestion: { endpoint: 'https://c', ruleId: `dcr-${'0'.repeat(32)}`, streams: [{ source: 'A_B', stream: 'none' }], signIn: SIGN_IN },
      path: ROAD,
      signInPath: ROAD,
    },
  ],
  solutions: [
    { name: 'Wire Data', enabled: true, route: 'relay', every: '1m', group: 'g' },
    { name: 'Wire Data', route: 'relay', dataType: 'A_B' },
  ],
  incidents: {
    webhook: { url: 'https://hooks.example.org/relay', secretFile: '/s', trustFile: '/t' },
    mail: { host: 'mail.example.org', port: 25, user: 'u', passwordFile: '/p', from: 'relay@example.org', to: ['ops@example.org'], trustFile: '/t' },
  },
  routing: { agentQueueLimit: '1GiB', tunnelAddress: 'a.example.org:8080' },
};

describe('the reference', () => {
  const rows = optionReference();

  it('holds every option of the schema, and no other', () => {
    const held = new Set(leavesOf(configurationSchema.parse(EVERYTHING)));
    const listed = rows.map((row) => row.path);
    assert.deepEqual(new Set(listed.filter((path) => path !== 'managementGroup.approve')), held);
    assert.equal(new Set(listed).size, listed.length);
  });

  it('says of each option what it is, and gives each outside a list a variable of its own', () => {
    for (const row of rows) {
      assert.match(row.meaning, /^[A-Z].*[.]$/s, row.path);
      assert.notEqual(row.type, '', row.path);
      assert.equal(row.environment === '', row.path.includes('[]'), row.path);
    }
    const variables = rows.flatMap((row) => (row.environment === '' ? [] : [row.environment]));
    assert.equal(new Set(variables).size, variables.length);
    assert.ok(variables.includes('RELAY_CACHE_REDIS_SOCKET') && variables.includes('RELAY_CACHE_LIMIT_PER_WORKSPACE'));
  });

  it('writes a table with a line for each option', () => {
    const lines = referenceTable().split('\n');
    assert.equal(lines.length, rows.length + 2);
    const limit = lines.find((line) => line.startsWith('| `cache.limit` |')) ?? '';
    assert.match(limit, /^\| `cache\.limit` \| size \| 80 % of the free disk less 64MiB \| 64KiB to 1PiB \| `RELAY_CACHE_LIMIT` \| What may wait on disk/);
    assert.ok(lines.some((line) => line.startsWith('| `workspaces[].id` | GUID | **required** |')));
  });
});

it('a configuration as written loads again to the same', () => {
  for (const found of [undefined, EVERYTHING]) {
    const configuration = configurationSchema.parse(found);
    const written = asWritten(configuration);
    assert.deepEqual(configurationSchema.parse(written), configuration);
    assert.match(JSON.stringify(written), /"every":"8m"/);
  }
});

describe('writeBetweenMarkers', () => {
  it('replaces what stands between the markers and nothing else', () => {
    const text = 'before\n<!-- options:begin -->\nold\n<!-- options:end -->\nafter\n';
    const once = writeBetweenMarkers(text, 'options', '| new |');
    assert.equal(once, 'before\n<!-- options:begin -->\n\n| new |\n\n<!-- options:end -->\nafter\n');
    assert.equal(writeBetweenMarkers(once, 'options', '| new |'), once);
    assert.throws(() => writeBetweenMarkers(text, 'metrics', ''), { code: 'relay.reference.no-markers' });
  });

  const [begin, end] = ['<!-- t:begin -->', '<!-- t:end -->'];
  for (const text of ['', begin, end, `${end}${begin}`, `${begin}${begin}${end}`, `${begin}${end}${end}`, `${end}${begin}${end}`]) {
    it(`refuses the text ${JSON.stringify(text)}`, () => {
      assert.throws(() => writeBetweenMarkers(text, 't', ''), { code: 'relay.reference.no-markers', message: /<!-- t:begin -->/ });
    });
  }
});
