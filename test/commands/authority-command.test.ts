import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { fromPem } from '../../src/authority/x509.ts';
import { agentsCommand } from '../../src/commands/agents.ts';
import { authorityCommand } from '../../src/commands/authority.ts';
import type { AuthorityFacts, CertificateForMachine } from '../../src/control/api.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { type ControlRig, createControlRig, WEB01 } from '../control/rig.ts';
import { BANK } from '../management-group/rig.ts';

const openssl = promisify(execFile);

async function run(rig: ControlRig, of: 'authority' | 'agents', ...words: string[]): Promise<string> {
  const lines: string[] = [];
  const output = (json: boolean) => ({ json, line: (text: string) => void lines.push(text) });
  const nobody = (): Promise<boolean> => Promise.resolve(false);
  const command = of === 'authority' ? authorityCommand({}, output, nobody) : agentsCommand({}, output, nobody);
  await command.parseAsync([...words, '--socket', rig.socket], { from: 'user' });
  return lines.join('\n');
}

const facts = async (rig: ControlRig): Promise<AuthorityFacts> => JSON.parse(await run(rig, 'authority', 'show', '--json')) as AuthorityFacts;

describe('relay authority', () => {
  it('shows which agents have not asked for the roots, and takes off the list whoever has', async () => {
    await using rig = await createControlRig();
    rig.group.registry.setState(BANK, parseAgentId(WEB01), 'approved', 'test');
    const before = (await facts(rig)).unaware.map(({ agentId }) => agentId);
    assert.ok(before.includes(parseAgentId(WEB01)));
    assert.match(await run(rig, 'authority', 'show'), /WARNING: \d agents have not asked .*\n.*relay authority export.*\n/);
    rig.learnt.heard({ workspaceId: BANK, agentId: parseAgentId(WEB01) });
    assert.deepEqual(
      (await facts(rig)).unaware.map(({ agentId }) => agentId),
      before.filter((id) => id !== WEB01),
    );
  });

  it('rotates, exports both roots, and ends the overlap only when it was asked to', async () => {
    await using rig = await createControlRig();
    rig.group.registry.setState(BANK, parseAgentId(WEB01), 'approved', 'test');
    const old = rig.authority.root;
    assert.match(await run(rig, 'authority', 'rotate'), /current.*\n.*next +\d{4}-/);
    await assert.rejects(run(rig, 'authority', 'rotate'), /relay authority finish/);

    const out = join(rig.folder, 'roots.pem');
    assert.match(await run(rig, 'authority', 'export', '--out', out), /2 roots are in/);
    const written = await readFile(out, 'utf8');
    assert.equal(written, rig.authority.roots().trusted.join(''));
    assert.ok(written.startsWith(old));

    await assert.rejects(run(rig, 'authority', 'finish'), /Without a person to ask, add --yes/);
    assert.equal(rig.authority.root, old);
    assert.match(await run(rig, 'authority', 'finish', '--yes'), /current/);
    assert.notEqual(rig.authority.root, old);
    await assert.rejects(run(rig, 'authority', 'finish', '--yes'), /No other root is on its way/);
    assert.deepEqual(
      rig.entries.map(({ action, result }) => [action, result]),
      [
        ['authority.rotate', 'done'],
        ['authority.rotate', 'refused'],
        ['authority.finish', 'done'],
        ['authority.finish', 'refused'],
      ],
    );
  });

  it('never shows a private key', async () => {
    await using rig = await createControlRig();
    await run(rig, 'authority', 'rotate');
    assert.doesNotMatch(JSON.stringify(await facts(rig)), /PRIVATE KEY/);
  });
});

describe('relay agents export', () => {
  it('writes key and certificate of an agent that the relay knows from then on, for its owner alone, and openssl reads it', async () => {
    await using rig = await createControlRig();
    const [out, passwordFile] = [join(rig.folder, 'web01.p12'), join(rig.folder, 'password')];
    await writeFile(passwordFile, 'correct horse\n', { mode: 0o600 });
    const given = JSON.parse(
      await run(rig, 'agents', 'export', 'web01.example.org', '--out', out, '--password-file', passwordFile, '--json'),
    ) as CertificateForMachine;
    assert.equal((await stat(out)).mode & 0o777, 0o600);
    const { fingerprint256, subject } = new X509Certificate(given.certificate);
    assert.match(subject, new RegExp(`CN=${BANK}\nCN=${WEB01}`));
    const fingerprints = rig.group.registry.certificatesOf({ workspaceId: BANK, agentId: parseAgentId(WEB01) }).map(({ fingerprint }) => String(fingerprint));
    assert.ok(fingerprints.includes(fingerprint256.replaceAll(':', '').toLowerCase()));
    const { stdout } = await openssl('openssl', ['pkcs12', '-in', out, '-passin', `file:${passwordFile}`, '-nodes']);
    assert.ok(stdout.includes('PRIVATE KEY'));
    assert.equal(stdout.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.ok(new X509Certificate(given.certificate).verify(new X509Certificate(fromPem(rig.authority.root)).publicKey));
    assert.deepEqual(rig.entries.at(-1), {
      actor: rig.entries.at(-1)?.actor,
      from: 'socket',
      action: 'agent.export',
      on: WEB01,
      result: 'done',
      detail: undefined,
    });
  });

  it('enters a machine that is no agent yet when it is told the workspace, and nothing when it is not or the password is bad', async () => {
    await using rig = await createControlRig();
    const [out, passwordFile] = [join(rig.folder, 'new.p12'), join(rig.folder, 'password')];
    await writeFile(passwordFile, 'short', { mode: 0o600 });
    const flags = ['--out', out, '--password-file', passwordFile];
    const before = rig.group.registry.list().length;
    await assert.rejects(run(rig, 'agents', 'export', 'win-07', ...flags), /There is no agent "win-07"/);
    await assert.rejects(run(rig, 'agents', 'export', 'win-07', '--workspace', BANK, ...flags), /8 or more printable ASCII characters/);
    assert.equal(rig.group.registry.list().length, before);
    await writeFile(passwordFile, 'correct horse', { mode: 0o600 });
    assert.match(await run(rig, 'agents', 'export', 'win-07', '--workspace', BANK, ...flags), /\(win-07\) .* is approved/);
    assert.equal(rig.group.registry.list().find(({ hostName }) => hostName === 'win-07')?.state, 'approved');
    await assert.rejects(run(rig, 'agents', 'export', 'win-07', ...flags), /It must not exist yet/);
    await assert.rejects(run(rig, 'agents', 'export', 'win-07', '--workspace', BANK, ...flags), /already\. Leave out --workspace/);
  });
});
