import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspectBackup } from '../../src/backup/inspect-backup.ts';
import type { MadeBackup } from '../../src/backup/make-backup.ts';
import { SEALING_KEY } from '../../src/own-secrets.ts';
import { BANK } from '../management-group/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { backUp, contentOf, laySite, machineSecretsIn, PASSPHRASE, SHARED_KEY, sealingSecrets } from './rig.ts';

function namesIn({ sums }: MadeBackup): string[] {
  return sums.map(({ name }) => name);
}

describe('makeBackup', () => {
  it('takes authority, agents, keys, identities, routes, the configuration and what it names; no audit log, no cache, nothing that is made anew', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    await mkdir(join(site.data, 'cache', 'segments'), { recursive: true });
    await writeFile(join(site.data, 'cache', 'segments', 'a.segment'), 'batches');
    const before = await contentOf(site.folder);
    const out = join(folder.path, 'out.age');
    const made = await backUp(site, out);
    assert.deepEqual(namesIn(made), [
      'manifest.json',
      'configuration/relay.yaml',
      'files/0001',
      'state/management-group.sqlite',
      'state/keys/cache.json',
      'state/keys/audit.key',
      'state/authority/root.key',
      'state/authority/root.pem',
      'state/routes.json',
      `state/upstream/${BANK}/identity.pem`,
      'SHA256SUMS',
    ]);
    const { manifest, contents } = await inspectBackup(out, PASSPHRASE);
    assert.deepEqual([manifest.rootFingerprint, manifest.agents, manifest.host, manifest.domain], [site.rootFingerprint, 3, 'old-relay', 'relay.bank.example']);
    assert.deepEqual(manifest.files, [
      { option: 'workspaces[0].sharedKeyFile', path: join(site.folder, 'etc', 'secrets', 'bank.key'), isSecret: true, member: 'files/0001' },
    ]);
    assert.equal(contents.get('files/0001')?.toString(), `${SHARED_KEY}\n`);
    assert.deepEqual(manifest.auditHead?.number, 2);
    assert.equal((await stat(out)).mode & 0o777, 0o600);
    // Nothing but the backup is there, and the relay's folders are as they were.
    await rm(out);
    assert.deepEqual(await contentOf(site.folder), before);
    assert.deepEqual((await readdir(folder.path)).sort(), ['data', 'etc']);
  });

  it('takes the audit log and the cache when they are asked for', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    await mkdir(join(site.data, 'cache', 'segments', BANK), { recursive: true });
    await writeFile(join(site.data, 'cache', 'segments', BANK, 'Event-1.segment'), 'batches');
    // As a crash leaves it: the line that was being written was never answered.
    const log = join(site.data, 'audit', 'audit-000000000001.jsonl');
    const whole = await readFile(log, 'utf8');
    await writeFile(log, `${whole}{"number":3`);
    const made = await backUp(site, join(folder.path, 'out.age'), { parts: ['state', 'audit', 'cache'] });
    const wanted = ['state/audit/audit-000000000001.jsonl', 'state/audit/head.json', `state/cache/segments/${BANK}/Event-1.segment`];
    assert.deepEqual(
      wanted.filter((name) => !namesIn(made).includes(name)),
      [],
    );
    assert.equal(made.sums.find(({ name }) => name === wanted[0])?.bytes, whole.length);
    // The note of the last line was read before the lines: it must not name one that was not copied.
    assert.ok(namesIn(made).indexOf(wanted[1] ?? '') < namesIn(made).indexOf(wanted[0] ?? ''));
  });

  it('takes what makes it one of a group', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    const names = ['group.json', 'identity.json', 'displaced-before-term-3.sqlite'];
    await mkdir(join(site.data, 'group'));
    for (const name of names) await writeFile(join(site.data, 'group', name), Buffer.alloc(name.endsWith('.sqlite') ? 2_000_000 : 10, 'x'));
    const made = await backUp(site, join(folder.path, 'out.age'));
    assert.deepEqual(
      names.filter((name) => !namesIn(made).includes(`state/group/${name}`)),
      [],
    );
    assert.deepEqual(made.manifest.leftOut, []);
  });

  it('holds in the clear what is sealed on the disk, and leaves it sealed there', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path, { secrets: sealingSecrets(1) });
    const credentials = join(folder.path, 'credentials');
    await mkdir(credentials);
    await writeFile(join(credentials, SEALING_KEY), Buffer.alloc(32, 1).toString('base64'));
    const before = await contentOf(site.data);
    const out = join(folder.path, 'out.age');
    await backUp(site, out, { secrets: machineSecretsIn(credentials) });
    const { contents } = await inspectBackup(out, PASSPHRASE);
    for (const name of ['state/authority/root.key', `state/upstream/${BANK}/identity.pem`])
      assert.match(contents.get(name)?.toString() ?? '', /PRIVATE KEY/, name);
    assert.match(contents.get('state/keys/cache.json')?.toString() ?? '', /^\{"current"/);
    assert.deepEqual(await contentOf(site.data), before);
    // Without the key there is no backup, and nothing is left of the attempt.
    await rm(out);
    await assert.rejects(backUp(site, out), { code: 'relay.own-secrets.sealed' });
    assert.deepEqual((await readdir(folder.path)).sort(), ['credentials', 'data', 'etc']);
  });

  it('names what it does not know and what is not there, and leaves nothing else out', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path, { options: '    trustFile: /nowhere/trust.pem\n' });
    await writeFile(join(site.data, 'a-newer-release.db'), 'x');
    await writeFile(join(site.data, 'routes.json.damaged-1'), 'x');
    const { manifest } = await backUp(site, join(folder.path, 'out.age'));
    assert.deepEqual(
      manifest.leftOut.map(({ what }) => what),
      [join(site.data, 'a-newer-release.db'), join(site.data, 'routes.json.damaged-1'), '/nowhere/trust.pem'],
    );
  });

  it('refuses an authority whose certificate and key do not belong together', async () => {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    const site = await laySite(folder.path);
    const stranger = await laySite(other.path);
    await writeFile(join(site.data, 'authority', 'root.key'), await readFile(join(stranger.data, 'authority', 'root.key')));
    await assert.rejects(backUp(site, join(folder.path, 'out.age')), { code: 'relay.backup.bad-authority', message: /do not belong together/ });
  });

  it('refuses a data folder in which no relay ever ran', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    await rm(site.data, { recursive: true });
    await mkdir(site.data);
    await assert.rejects(backUp(site, join(folder.path, 'out.age')), { code: 'relay.management-group.unreadable', message: /no relay ever ran/ });
  });

  it('does not write over a file', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    const out = join(folder.path, 'out.age');
    await writeFile(out, 'mine');
    await assert.rejects(backUp(site, out), { code: 'relay.backup.exists' });
    assert.equal(await readFile(out, 'utf8'), 'mine');
  });

  it('says that it cannot write where it may not', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(folder.path);
    await writeFile(join(folder.path, 'file'), '');
    await assert.rejects(backUp(site, join(folder.path, 'file', 'out.age')), { code: 'relay.backup.cannot-write' });
  });
});
