import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sendersCommand } from '../../src/commands/senders.ts';
import { type ControlRig, createControlRig } from '../control/rig.ts';

const SECRET = /^[A-Za-z0-9]{64}$/;

async function run(rig: ControlRig, ...words: string[]): Promise<string> {
  const lines: string[] = [];
  const command = sendersCommand({}, (json: boolean) => ({ json, line: (text: string) => void lines.push(text) }));
  await command.parseAsync([...words, '--socket', rig.socket], { from: 'user' });
  return lines.join('\n');
}

describe('relay senders', () => {
  it('prints a new secret once and alone, or writes it where only its owner reads', async () => {
    await using rig = await createControlRig();
    assert.match(await run(rig, 'create', '--name', 'web90', '--workspace', 'bank'), SECRET);
    const out = join(rig.folder, 'web91.secret');
    assert.match(
      await run(rig, 'create', '--name', 'web91', '--workspace', 'bank', '--out', out),
      /The sender web91 \(client id .*\) signs in with the secret in /,
    );
    assert.match((await readFile(out, 'utf8')).trim(), SECRET);
    assert.equal((await stat(out)).mode & 0o777, 0o600);
    assert.match(await run(rig, 'list'), /NAME.*\nweb90 .*approved.*\nweb91 .*approved/);
    assert.doesNotMatch(await run(rig, 'list'), /[A-Za-z0-9]{64}/);
  });

  it('takes the secret that a program has already from a file, and does not print it', async () => {
    await using rig = await createControlRig();
    const file = join(rig.folder, 'workspace.key');
    await writeFile(file, 'dGhyb3ctYXdheS1rZXktZm9yLXRlc3RzLTAxMjM0NTY3ODk=\n', { mode: 0o600 });
    const said = await run(rig, 'create', '--name', 'old', '--workspace', 'bank', '--secret-file', file, '--json');
    assert.ok(!said.includes('dGhyb3'));
    assert.equal(rig.group.senders.identify('old', 'dGhyb3ctYXdheS1rZXktZm9yLXRlc3RzLTAxMjM0NTY3ODk=')?.agent.hostName, 'old');
  });

  it('rotates: the new secret is good at once, the old one for as long as it is told', async () => {
    await using rig = await createControlRig();
    const before = await run(rig, 'create', '--name', 'web90', '--workspace', 'bank');
    const after = await run(rig, 'rotate', 'web90', '--grace', '0s');
    assert.match(after, SECRET);
    assert.equal(rig.group.senders.identify('web90', before), undefined);
    const last = await run(rig, 'rotate', 'web90');
    for (const secret of [after, last]) assert.equal(rig.group.senders.identify('web90', secret)?.agent.hostName, 'web90');
    await assert.rejects(run(rig, 'rotate', 'nobody'), /relay senders list/);
  });

  it('prints a configuration with the newest secret', async () => {
    await using rig = await createControlRig();
    const secret = await run(rig, 'create', '--name', 'web90', '--workspace', 'bank');
    assert.ok((await run(rig, 'config', 'fluent-bit', '--name', 'web90')).includes(`shared_key: ${secret}`));
    assert.ok((await run(rig, 'config', 'vector', '--name', 'web90', '--roots', '/etc/roots.pem')).includes('ca_file: /etc/roots.pem'));
    await assert.rejects(run(rig, 'config', 'curl', '--name', 'nobody'), /There is no sender "nobody"/);
  });

  it('makes key, certificate and roots for a sender, by which it is known', async () => {
    await using rig = await createControlRig();
    await run(rig, 'create', '--name', 'fw01', '--workspace', 'bank');
    const folder = join(rig.folder, 'fw01');
    await run(rig, 'certificate', 'fw01', '--out', folder);
    const [key = '', certificate = '', roots] = await Promise.all(
      ['fw01.key', 'fw01.pem', 'relay-roots.pem'].map((file) => readFile(join(folder, file), 'utf8')),
    );
    const x509 = new X509Certificate(certificate);
    assert.ok(x509.checkPrivateKey(createPrivateKey(key)));
    assert.equal(roots, rig.authority.roots().trusted.join(''));
    assert.equal((await stat(join(folder, 'fw01.key'))).mode & 0o777, 0o600);
    const [agent] = rig.group.senders.list();
    assert.equal(agent && rig.group.registry.certificatesOf(agent.agent).length, 1);
    await assert.rejects(run(rig, 'certificate', 'nobody', '--out', folder), /There is no sender/);
  });
});
