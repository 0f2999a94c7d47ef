import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { CONFIGURATIONS, configurationOf } from '../../src/sender-configuration/configurations.ts';
import type { SenderFacts } from '../../src/sender-configuration/facts.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);

const FACTS: SenderFacts = {
  name: 'web01',
  clientId: 'bbbbbbbb-0000-4000-8000-000000000002',
  workspaceId: '11111111-1111-4111-8111-111111111111',
  secret: 'A'.repeat(64),
  domain: 'relay.test',
  port: 8443,
  syslogPort: 6514,
  ruleId: `dcr-${'1'.repeat(32)}`,
  roots: '',
};
const ROOTS = '/etc/relay-sender/relay-roots.pem';

function written(kind: string, facts: Partial<SenderFacts> = {}): string {
  const configuration = configurationOf(kind);
  assert.ok(configuration);
  return configuration.write({ ...FACTS, ...facts }, ROOTS);
}

/** A value of a YAML configuration by its path. */
function at(kind: string, path: readonly (string | number)[], facts: Partial<SenderFacts> = {}): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], parse(written(kind, facts)));
}

describe('the configuration of a sender', () => {
  for (const { kind, showsSecret } of CONFIGURATIONS) {
    it(`for ${kind} trusts the relay's roots alone, and shows ${showsSecret ? 'the secret' : 'no secret'}`, () => {
      const text = written(kind);
      assert.ok(text.includes(ROOTS));
      assert.equal(text.includes(FACTS.secret), showsSecret);
      assert.doesNotMatch(text, /insecure|verify: off|--insecure|\s-k\s|undefined|\[object Object/i);
    });
  }

  it('for fluent-bit loses nothing after a retry, and reaches <workspace>.ods.<domain>', () => {
    const output = at('fluent-bit', ['pipeline', 'outputs', 0]) as Record<string, unknown>;
    assert.equal(output['retry_limit'], 'no_limits');
    assert.deepEqual([output['host'], output['port'], output['customer_id'], output['shared_key']], ['ods.relay.test', 8443, FACTS.workspaceId, FACTS.secret]);
  });

  it('for otel-collector and vector names the port only where it is not the usual one', () => {
    const endpoint = ['exporters', 'otlphttp/relay', 'endpoint'];
    assert.deepEqual([at('otel-collector', endpoint), at('otel-collector', endpoint, { port: 443 })], ['https://relay.test:8443', 'https://relay.test']);
    const host = ['sinks', 'relay', 'host'];
    assert.deepEqual([at('vector', host), at('vector', host, { port: 443 })], ['ods.relay.test:8443', 'ods.relay.test']);
  });

  it('for rsyslog frames by octet counting, with a queue on disk, and never gives up', () => {
    const text = written('rsyslog');
    for (const setting of [
      'TCP_Framing="octet-counted"',
      'action.resumeRetryCount="-1"',
      'queue.filename="relay"',
      'port="6514"',
      'StreamDriverAuthMode="x509/name"',
    ])
      assert.ok(text.includes(setting), setting);
  });

  it('for rsyslog is taken by rsyslog', async () => {
    await using folder = await temporaryFolder();
    for (const file of ['relay-roots.pem', 'web01.pem', 'web01.key']) await writeFile(join(folder.path, file), '');
    const path = join(folder.path, 'rsyslog.conf');
    await writeFile(path, written('rsyslog').replaceAll('/etc/relay-sender', folder.path).replace('/var/spool/rsyslog', folder.path));
    const { stderr } = await run('rsyslogd', ['-N1', '-f', path]);
    assert.doesNotMatch(stderr, /error/i);
  });

  it('for powershell signs what the API wants signed', () => {
    assert.ok(written('powershell').includes('"POST`n$($body.Length)`napplication/json`nx-ms-date:$date`n/api/logs"'));
  });
});
