import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Ask } from '../../src/commands/ask.ts';
import { type BackupParts, backupCommand } from '../../src/commands/backup.ts';
import { restoreCommand } from '../../src/commands/restore.ts';
import { backUp, contentOf, fakePrograms, laySite, PASSPHRASE } from '../backup/rig.ts';
import { BANK } from '../management-group/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Somebody who types these, one after another; nobody without any. */
function typing(...secrets: readonly string[]): Ask & { readonly asked: string[] } {
  const asked: string[] = [];
  const left = [...secrets];
  const secret = async (question: string): Promise<string> => {
    asked.push(question);
    return left.shift() ?? assert.fail(`asked once more: ${question}`);
  };
  return { asked, isThere: secrets.length > 0, line: async () => '', secret };
}

/** No machine begins at that root: what this one has does not matter. */
const NOWHERE = { root: '/nowhere' };

type Make = typeof backupCommand;

async function run(make: Make, ask: Ask, machine: Pick<Partial<BackupParts>, 'root' | 'programs'>, ...words: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const parts: Partial<BackupParts> = { outputFor: (json) => ({ json, line: (text) => void lines.push(text) }), ask, ...machine };
  await make({}, parts).parseAsync([...words], { from: 'user' });
  return lines.join('\n');
}

describe('relay backup and relay restore', () => {
  it('ask for the passphrase, say what is in the backup, and what is not, and what comes next', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(join(folder.path, 'old'));
    const out = join(folder.path, 'out.age');
    const person = typing(PASSPHRASE, `${PASSPHRASE}.`, PASSPHRASE, PASSPHRASE);
    const said = await run(backupCommand, person, NOWHERE, '--offline', '--config', site.configurationFile, '--out', out);
    assert.deepEqual(person.asked, ['Passphrase for the backup', 'The same again', 'Passphrase for the backup', 'The same again']);
    assert.match(said, /^.*out\.age \(.* KiB\)\. It was read back: all 11 files in it are as they were written\.\n/);
    assert.match(said, new RegExp(`3 agents, the authority \\(root ${site.rootFingerprint}\\)`));
    assert.match(said, /Not in it: batches that wait in the cache; they are on this machine's disk alone\./);

    // Looking changes nothing.
    const machine = join(folder.path, 'new');
    await mkdir(join(machine, 'etc'), { recursive: true });
    const words = [out, '--config', join(machine, 'etc', 'relay.yaml'), '--data', join(machine, 'data')];
    const checked = await run(restoreCommand, typing(PASSPHRASE), NOWHERE, ...words, '--check');
    assert.match(checked, /^Backup of .*, made .* UTC by release .*: 3 agents, root [0-9a-f]{64}\. All 10 files in it are as they were written\.\n/);
    assert.match(checked, /It could be restored here\. Nothing was changed\.$/);
    assert.deepEqual([...(await contentOf(machine)).keys()], []);

    const done = await run(restoreCommand, typing(PASSPHRASE), NOWHERE, ...words);
    assert.match(done, /Restored to .*new\/data\.\n/);
    assert.match(
      done,
      /Not here: batches taken after .* UTC, and those that waited then\. They are on the old machine's disk; machines that enrolled since then enrol again\./,
    );
    assert.match(done, /Never run the old machine again beside this one/);
    assert.match(done, /Next: start the relay, .*old names \(relay\.bank\.example\)/);
    // The passphrase is nowhere.
    for (const text of [said, checked, done]) assert.ok(!text.includes(PASSPHRASE));
    for (const [path, content] of await contentOf(folder.path)) assert.ok(!Buffer.from(content, 'base64').includes(PASSPHRASE), path);
  });

  it('on an appliance put the secrets into the credential store, and have the unit of the relay open them', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(join(folder.path, 'old'));
    const out = join(folder.path, 'out.age');
    await backUp(site, out);
    const root = join(folder.path, 'new');
    await mkdir(join(root, 'etc', 'relay'), { recursive: true });
    await writeFile(join(root, 'etc', 'relay', 'appliance'), '');
    const programs = fakePrograms();
    const words = [out, '--config', join(root, 'etc', 'relay', 'relay.yaml'), '--data', join(root, 'srv', 'relay', 'data')];
    const said = await run(restoreCommand, typing(PASSPHRASE), { root, programs }, ...words);
    assert.match(said, /Next: systemctl start relay, then relay status\./);
    const dropIn = await readFile(join(root, 'etc', 'systemd', 'system', 'relay.service.d', 'credentials.conf'), 'utf8');
    assert.deepEqual(
      dropIn.match(/^LoadCredentialEncrypted=\S+?:/gm),
      ['sealing-key', `workspace-${BANK}`].map((name) => `LoadCredentialEncrypted=${name}:`),
    );
    assert.ok(programs.told.indexOf('systemctl daemon-reload') > programs.told.indexOf('systemctl stop relay.service'));
  });

  it('tell that a backup is whole on a machine where it would not be restored', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    const out = join(folder.path, 'out.age');
    await backUp(site, out);
    const said = await run(restoreCommand, typing(PASSPHRASE), NOWHERE, out, '--config', site.configurationFile, '--check');
    assert.match(said, /All 10 files in it are as they were written\.\nAs this machine is now, it would not be restored here: There is a relay's state in /);
    await assert.rejects(run(restoreCommand, typing('another one altogether'), NOWHERE, out, '--check'), { code: 'relay.backup.wrong-passphrase' });
  });

  it('take the passphrase from a file, and no weak one', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    const file = join(folder.path, 'passphrase');
    const words = ['--offline', '--config', site.configurationFile, '--out', join(folder.path, 'out.age'), '--passphrase-file', file];
    for (const weak of ['short', 'elevenchars', 'aaaaaaaaaaaaaaaa', 'two\nlines of it'])
      await writeFile(file, `${weak}\n`, { mode: 0o600 }).then(() =>
        assert.rejects(run(backupCommand, typing(), NOWHERE, ...words), { code: 'relay.backup.weak-passphrase' }, weak),
      );
    await writeFile(file, '\n', { mode: 0o600 });
    await assert.rejects(run(backupCommand, typing(), NOWHERE, ...words), { exitCode: 2, message: /is empty/ });
    await writeFile(file, `${PASSPHRASE}\n`, { mode: 0o600 });
    const { agents, bytes, leftOut } = JSON.parse(await run(backupCommand, typing(), NOWHERE, ...words, '--json')) as {
      agents: number;
      bytes: number;
      leftOut: unknown[];
    };
    assert.deepEqual([agents, leftOut, bytes], [3, [], (await readFile(join(folder.path, 'out.age'))).length]);
  });

  it('write nothing when nobody is there to ask, when the two are never the same, or when there is no relay', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    const words = ['--config', site.configurationFile, '--out', join(folder.path, 'out.age')];
    await assert.rejects(run(backupCommand, typing(), NOWHERE, ...words, '--offline'), { exitCode: 2, message: /--passphrase-file/ });
    const different = typing(PASSPHRASE, 'x', PASSPHRASE, 'y', PASSPHRASE, 'z');
    await assert.rejects(run(backupCommand, different, NOWHERE, ...words, '--offline'), { exitCode: 2, message: /not typed the same/ });
    await assert.rejects(run(backupCommand, typing(PASSPHRASE, PASSPHRASE), NOWHERE, ...words), { code: 'relay.control.not-running' });
    await assert.rejects(run(backupCommand, typing(), NOWHERE, ...words, '--with-cache'), { exitCode: 2, message: /only while nothing moves in it/ });
    assert.deepEqual((await readdir(folder.path)).sort(), ['data', 'etc']);
  });
});
