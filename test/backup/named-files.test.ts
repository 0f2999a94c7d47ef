import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isIn, namedFiles, nameOf, secretName } from '../../src/backup/named-files.ts';
import { configurationFrom } from '../../src/configuration/load.ts';
import { BANK, PLANT } from '../management-group/rig.ts';

const TEXT = `
workspaces:
  - { id: ${BANK}, sharedKeyFile: bank.key, path: { kind: proxy, proxy: { host: proxy.example, user: relay, passwordFile: /etc/proxy } } }
  - id: ${PLANT}
    protocol: logs-ingestion
    ingestion:
      endpoint: https://plant.ingest.example
      ruleId: dcr-00000000000000000000000000000000
      signIn: { tenantId: ${BANK}, clientId: ${BANK}, secretFile: plant.secret }
metrics: { user: prometheus, passwordFile: metrics }
`;

describe('namedFiles', () => {
  it('finds every file that a configuration names, and knows which are secret; no folder, no socket', () => {
    const configuration = configurationFrom(TEXT, '/etc/relay/relay.yaml', {});
    const found = namedFiles(configuration).map(({ option, path, isSecret }) => [nameOf(option), path, isSecret]);
    assert.deepEqual(found, [
      ['workspaces[0].sharedKeyFile', '/etc/relay/bank.key', true],
      ['workspaces[1].ingestion.signIn.secretFile', '/etc/relay/plant.secret', true],
      ['workspaces[0].path.proxy.passwordFile', '/etc/proxy', true],
      ['metrics.passwordFile', '/etc/relay/metrics', true],
      ['audit.keyFile', '/var/lib/relay/keys/audit.key', true],
    ]);
    const names = namedFiles(configuration).map(({ option }) => secretName(option, configuration));
    assert.deepEqual(names, [`workspace-${BANK}`, `workspace-${PLANT}`, `workspace-${BANK}-path-proxy-password`, 'metrics-password', 'audit-key']);
  });
});

describe('isIn', () => {
  it('is true below a folder only', () => {
    for (const path of ['/etc/relay/a', '/etc/relay/a/b', '/etc/relay/..a']) assert.ok(isIn('/etc/relay', path), path);
    for (const path of ['/etc/relay', '/etc', '/etc/relay2/a', '/etc/relay/../x', '/']) assert.ok(!isIn('/etc/relay', path), path);
  });
});
