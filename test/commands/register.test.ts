import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Ask } from '../../src/commands/ask.ts';
import type { Output } from '../../src/commands/output.ts';
import { registerCommand } from '../../src/commands/register.ts';
import { putWorkspace } from '../../src/configuration/put-workspace.ts';
import { createPatient, startTlsService } from '../doctor/patient.ts';
import { APP, RULE, SECRET, startCloud, TENANT } from '../local-workspace/intake/ingestion/cloud.ts';
import { runCommand } from '../support/run-relay.ts';

const BANK = '11111111-1111-4111-8111-111111111111';
const PLANT = '22222222-2222-4222-8222-222222222222';

const BEFORE = `# the site in the north
data: data # big disk
workspaces:
  # the plant, by its own relay
  - id: ${PLANT}
    name: plant # do not rename
    endpoint: https://plant.example:8443
    sharedKeyFile: plant.key
`;

suite('relay register', () => {
  test('writes a workspace of Azure that the doctor found well, with comments, a backup and modes as they should be', async (t) => {
    await using patient = await createPatient();
    const { listening } = await startCloud(t);
    const config = await patient.write('relay.yaml', BEFORE);
    const secretFile = await patient.write('app.secret', SECRET);
    const trust = await patient.write('root.pem', listening.rootPem);
    const flags = azureFlags({ config, url: listening.url, trust });
    const { code, out, err } = await runCommand(['register', ...flags, '--secret-file', secretFile, '--yes']);
    assert.equal(code, 0, out + err);
    const text = await readFile(config, 'utf8');
    for (const kept of ['# the site in the north', '# big disk', '# the plant, by its own relay', '# do not rename', `ruleId: ${RULE}`])
      assert.ok(text.includes(kept), text);
    assert.equal(await readFile(`${config}.before`, 'utf8'), BEFORE);
    assert.equal((await stat(config)).mode & 0o777, 0o600);
    assert.ok(!(out + err + text).includes(SECRET));
    assert.equal((await runCommand(['config', 'check', '--config', config])).code, 0);
    assert.deepEqual(
      (await readdir(patient.folder)).filter((name) => name.startsWith('.')),
      [],
    );
  });

  test('writes nothing when the doctor finds something wrong', async (t) => {
    await using patient = await createPatient();
    const { listening } = await startCloud(t);
    const config = await patient.write('relay.yaml', BEFORE);
    const secretFile = await patient.write('app.secret', 'not-the-secret');
    const trust = await patient.write('root.pem', listening.rootPem);
    const { code, out, err } = await runCommand(['register', ...azureFlags({ config, url: listening.url, trust }), '--secret-file', secretFile, '--yes']);
    assert.equal(code, 1);
    assert.match(out, /AADSTS7000215/);
    assert.match(err, /Nothing was written/);
    assert.equal(await readFile(config, 'utf8'), BEFORE);
  });

  test('says all that is missing where nobody can be asked', async () => {
    await using patient = await createPatient();
    const { code, err } = await runCommand(['register', '--protocol', 'logs-ingestion', '--config', patient.file]);
    assert.equal(code, 2);
    for (const flag of ['--yes', '--workspace', '--endpoint', '--rule-id', '--tenant', '--client', '--secret-file']) assert.ok(err.includes(flag), err);
  });

  test('asks at the terminal, and puts the secret into a file of its own that nobody else may read', async () => {
    await using patient = await createPatient();
    await using service = await startTlsService();
    const trust = await patient.write('root.pem', service.rootPem);
    const config = join(patient.folder, 'fresh.yaml');
    const asked: string[] = [];
    const answers: readonly (readonly [RegExp, string])[] = [
      [/Protocol/, 'operational-data'],
      [/Id of the workspace/, BANK],
      [/Address of the local workspace/, `https://127.0.0.1:${service.port}`],
      [/What people call it/, 'bank'],
      [/Write it/, 'y'],
    ];
    const ask: Ask = {
      isThere: true,
      line: async (question) => {
        asked.push(question);
        return answers.find(([pattern]) => pattern.test(question))?.[1] ?? assert.fail(`no answer to ${question}`);
      },
      secret: async () => 'c2VjcmV0',
    };
    const lines: string[] = [];
    const outputFor = (json: boolean): Output => ({ json, line: (text) => void lines.push(text) });
    await registerCommand({}, { ask, outputFor }).parseAsync(['--config', config, '--trust-file', trust], { from: 'user' });
    const secret = join(patient.folder, `${BANK}.secret`);
    assert.equal(await readFile(secret, 'utf8'), 'c2VjcmV0\n');
    assert.equal((await stat(secret)).mode & 0o777, 0o600);
    assert.match(await readFile(config, 'utf8'), new RegExp(`sharedKeyFile: ${secret}`));
    assert.ok(!lines.join('\n').includes('c2VjcmV0'));
    assert.match(lines.join('\n'), /The workspace bank was added/);
    assert.equal(asked.length, 5);
  });
});

suite('putting a workspace into a configuration file', () => {
  test('changes only that workspace, and of it only what was given', () => {
    const both = putWorkspace(BEFORE, { id: BANK, name: 'bank', path: { kind: undefined } });
    assert.equal(both.replaced, false);
    assert.ok(both.text.startsWith(BEFORE));
    const changed = putWorkspace(both.text, { id: PLANT.toUpperCase(), endpoint: 'https://plant.example:9443' });
    assert.equal(changed.replaced, true);
    const expected = both.text.replace(':8443', ':9443').replace(`id: ${PLANT}`, `id: ${PLANT.toUpperCase()}`);
    assert.equal(changed.text, expected);
  });

  test('begins an empty file, and refuses what is no configuration', () => {
    assert.equal(putWorkspace('', { id: BANK }).text, `workspaces:\n  - id: ${BANK}\n`);
    assert.equal(putWorkspace('{}', { id: BANK }).replaced, false);
    assert.throws(() => putWorkspace('- a\n- b\n', { id: BANK }), { code: 'relay.configuration.invalid' });
    assert.throws(() => putWorkspace('workspaces: 5\n', { id: BANK }), { code: 'relay.configuration.invalid' });
  });
});

function azureFlags({ config, url, trust }: { config: string; url: string; trust: string }): string[] {
  const data = ['--config', config, '--workspace', BANK, '--name', 'bank', '--protocol', 'logs-ingestion', '--endpoint', url, '--trust-file', trust];
  return [...data, '--rule-id', RULE, '--tenant', TENANT, '--client', APP, '--authority', url, '--sign-in-trust-file', trust];
}
