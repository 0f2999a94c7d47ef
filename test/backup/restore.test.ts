import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readAuditKey } from '../../src/audit/audit-key.ts';
import { readEntries } from '../../src/audit/read.ts';
import { verifyAuditLog } from '../../src/audit/verify.ts';
import { openAuthority } from '../../src/authority/authority.ts';
import { inspectBackup } from '../../src/backup/inspect-backup.ts';
import { planRestore, type RestorePlan, type RestoreWishes } from '../../src/backup/plan-restore.ts';
import { type Restored, restore } from '../../src/backup/restore.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfiguration } from '../../src/configuration/load.ts';
import { silentLogger } from '../../src/logger.ts';
import { openManagementGroup } from '../../src/management-group/management-group.ts';
import { isSealed, type OwnSecrets, ownSecretsWith, plainSecrets, SEALING_KEY } from '../../src/own-secrets.ts';
import { loadKeyRing } from '../../src/workspace/key-ring-file.ts';
import { BANK } from '../management-group/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { writeHostileArchive } from './hostile-archive.ts';
import {
  backUp,
  contentOf,
  fakePrograms,
  laySite,
  machineAt,
  machineSecretsIn,
  PASSPHRASE,
  RESTORED_AT,
  SHARED_KEY,
  type Site,
  sealingSecrets,
} from './rig.ts';

interface Attempt extends Partial<RestoreWishes> {
  /** Of the machine's file system: an appliance, if it says so. */
  readonly root: string;
  readonly programs?: ReturnType<typeof fakePrograms>;
}

async function planned(backup: string, { root, programs = fakePrograms(), ...wishes }: Attempt): Promise<{ plan: RestorePlan; run: () => Promise<Restored> }> {
  const { machine, secrets } = await machineAt(root, programs);
  const configurationFile = wishes.configurationFile ?? join(root, 'etc', 'relay', 'relay.yaml');
  const inspected = await inspectBackup(backup, PASSPHRASE);
  const plan = await planRestore(inspected, { env: {}, replace: false, withConfiguration: false, ...wishes, configurationFile }, machine, secrets);
  const announceCredentials = async (): Promise<void> => void programs.told.push('announced');
  return { plan, run: () => restore(inspected, plan, { machine, secrets, configurationFile, announceCredentials, operator: 'eve', now: () => RESTORED_AT }) };
}

async function restored(backup: string, attempt: Attempt): Promise<Restored> {
  return await (await planned(backup, attempt)).run();
}

/** Opens what was restored as a relay does, and returns what its agents know it by. */
async function openState(
  data: string,
  secrets: OwnSecrets = plainSecrets,
): Promise<{ rootFingerprint: string; agents: number; enrolmentKey: string | undefined }> {
  const { now } = systemClock;
  const keys = await loadKeyRing({ credentialsFolder: undefined, keyFile: undefined, ownFile: join(data, 'keys', 'cache.json'), secrets, now }, silentLogger);
  const group = openManagementGroup(join(data, 'management-group.sqlite'), { keys, clock: systemClock, log: silentLogger });
  try {
    const [key] = group.enrolmentKeys.usable(BANK);
    const { rootFingerprint } = await openAuthority(join(data, 'authority'), now, secrets);
    return { rootFingerprint, agents: group.registry.list().length, enrolmentKey: key?.key.toString('base64') };
  } finally {
    group.close();
  }
}

/** A site, its backup, and an empty machine beside it. */
async function rig(
  options?: Parameters<typeof laySite>[1] & { readonly parts?: Parameters<typeof backUp>[2] },
): Promise<AsyncDisposable & { site: Site; backup: string; root: string }> {
  const folder = await temporaryFolder();
  const site = await laySite(join(folder.path, 'old'), options);
  const backup = join(folder.path, 'backup.age');
  await backUp(site, backup, options?.parts);
  const root = join(folder.path, 'new');
  await mkdir(root);
  return { site, backup, root, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('restore to a machine without anything', () => {
  it('makes the same relay of it: root, agents, enrolment keys, and the configuration with what it names', async () => {
    await using at = await rig();
    const { site, backup, root } = at;
    const result = await restored(backup, { root, data: join(root, 'srv') });
    assert.deepEqual([result.configuration, result.aside, result.data], ['of the backup', [], join(root, 'srv')]);
    assert.deepEqual(await openState(join(root, 'srv')), { rootFingerprint: site.rootFingerprint, agents: 3, enrolmentKey: site.enrolmentKey });
    const file = join(root, 'etc', 'relay', 'relay.yaml');
    const text = await readFile(file, 'utf8');
    assert.match(text, /^# The bank's relay\.\n/);
    assert.match(text, /# the bank\n/);
    const configuration = await loadConfiguration({ file, env: {} });
    assert.equal(configuration.data, join(root, 'srv'));
    // Beside the configuration, as it was: no option needed another path.
    assert.equal(configuration.workspaces[0]?.sharedKeyFile, join(root, 'etc', 'relay', 'secrets', 'bank.key'));
    assert.match(text, /sharedKeyFile: secrets\/bank\.key/);
    assert.equal(await readFile(join(root, 'etc', 'relay', 'secrets', 'bank.key'), 'utf8'), `${SHARED_KEY}\n`);
    for (const path of ['srv/keys/cache.json', 'srv/authority/root.key', 'etc/relay/secrets/bank.key'])
      assert.equal((await stat(join(root, path))).mode & 0o777, 0o600, path);
    assert.deepEqual(await readdir(root), ['etc', 'srv']);
  });

  it('begins a new audit log with the old key, which says first where it comes from', async () => {
    await using at = await rig();
    const data = join(at.root, 'srv');
    await restored(at.backup, { root: at.root, data });
    const [entry, ...more] = await readEntries(join(data, 'audit'), { last: 10 });
    assert.deepEqual(
      [entry?.number, entry?.action, entry?.actor.name, entry?.on, more.length],
      [1, 'relay.restore', 'eve', 'backup of old-relay, 2026-11-28T20:00:00.000Z', 0],
    );
    assert.match(entry?.detail ?? '', /^made by release 1\.2\.3; the log there had 2 lines, the last one [0-9a-f]{64}$/);
    const key = await readAuditKey(join(data, 'keys', 'audit.key'));
    assert.equal((await verifyAuditLog(join(data, 'audit'), key)).fault, undefined);
  });

  it('goes on with the audit log where the backup has it', async () => {
    await using at = await rig({ parts: { parts: ['state', 'audit'] } });
    const data = join(at.root, 'srv');
    await restored(at.backup, { root: at.root, data });
    const entries = await readEntries(join(data, 'audit'), { last: 10 });
    assert.deepEqual(
      entries.map(({ number, action }) => [number, action]),
      [
        [1, 'relay.start'],
        [2, 'relay.stop'],
        [3, 'relay.restore'],
      ],
    );
    const found = await verifyAuditLog(join(data, 'audit'), await readAuditKey(join(data, 'keys', 'audit.key')));
    assert.deepEqual([found.fault, found.remarks], [undefined, []]);
  });

  it('brings what waited in the cache back where the backup has it', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(join(folder.path, 'old'));
    const segment = join('cache', 'segments', BANK, 'Event-1.segment');
    await mkdir(join(site.data, 'cache', 'segments', BANK), { recursive: true });
    await writeFile(join(site.data, segment), 'batches');
    const backup = join(folder.path, 'backup.age');
    await backUp(site, backup, { parts: ['state', 'cache'] });
    const root = join(folder.path, 'new');
    await mkdir(root);
    await restored(backup, { root, data: join(root, 'srv') });
    assert.equal(await readFile(join(root, 'srv', segment), 'utf8'), 'batches');
  });

  it('seals the keys under its own sealing key, whatever they were sealed under before', async () => {
    await using folder = await temporaryFolder();
    const site = await laySite(join(folder.path, 'old'), { secrets: sealingSecrets(1) });
    const old = join(folder.path, 'old-credentials');
    await mkdir(old);
    await writeFile(join(old, SEALING_KEY), Buffer.alloc(32, 1).toString('base64'));
    const backup = join(folder.path, 'backup.age');
    await backUp(site, backup, { secrets: machineSecretsIn(old) });
    const root = join(folder.path, 'new');
    const opened = join(root, 'run', 'credentials', 'relay.service');
    await mkdir(opened, { recursive: true });
    await writeFile(join(opened, SEALING_KEY), Buffer.alloc(32, 2).toString('base64'));
    const data = join(root, 'srv');
    await restored(backup, { root, data });
    for (const name of ['keys/cache.json', 'authority/root.key', `upstream/${BANK}/identity.pem`]) assert.ok(isSealed(await readFile(join(data, name))), name);
    assert.equal((await openState(data, sealingSecrets(2))).rootFingerprint, site.rootFingerprint);
    await assert.rejects(openState(data, sealingSecrets(1)), { code: 'relay.own-secrets.sealed' });
  });

  it('gives everything to whoever owns the data folder', { skip: process.getuid?.() === 0 ? false : 'only root can give files away' }, async () => {
    await using at = await rig();
    const data = join(at.root, 'srv');
    await mkdir(data);
    await chown(data, 4321, 8765);
    await restored(at.backup, { root: at.root, data });
    const paths = ['', ...(await readdir(data, { recursive: true }))].map((path) => join(data, path));
    const secret = join(at.root, 'etc', 'relay', 'secrets', 'bank.key');
    for (const path of [...paths, secret]) assert.deepEqual([(await stat(path)).uid, (await stat(path)).gid], [4321, 8765], path);
    // The relay reads its configuration, and does not write it.
    const file = await stat(join(at.root, 'etc', 'relay', 'relay.yaml'));
    assert.deepEqual([file.uid, file.gid, file.mode & 0o777], [0, 8765, 0o640]);
  });

  it('writes nothing where only the backup says so: what lay elsewhere goes below the configuration', async () => {
    await using folder = await temporaryFolder();
    const elsewhere = join(folder.path, 'elsewhere');
    await mkdir(elsewhere);
    for (const name of ['trust.pem', 'audit.key', 'ring.json', 'metrics']) await writeFile(join(elsewhere, name), name);
    await writeFile(join(elsewhere, 'audit.key'), Buffer.alloc(32, 7).toString('base64'));
    await writeFile(join(elsewhere, 'ring.json'), JSON.stringify({ current: '01234567', keys: { '01234567': Buffer.alloc(32, 3).toString('base64') } }));
    const options = `    trustFile: ${elsewhere}/trust.pem\nmetrics:\n  user: prometheus\n  passwordFile: ${elsewhere}/metrics\naudit:\n  keyFile: ${elsewhere}/audit.key\ncache:\n  keyFile: ${elsewhere}/ring.json # chosen by hand\n`;
    const site = await laySite(join(folder.path, 'old'), { options });
    const backup = join(folder.path, 'backup.age');
    await backUp(site, backup);
    await rm(elsewhere, { recursive: true });
    const root = join(folder.path, 'new');
    await mkdir(root);
    const result = await restored(backup, { root, data: join(root, 'srv') });
    await assert.rejects(access(elsewhere), { code: 'ENOENT' });
    const file = join(root, 'etc', 'relay', 'relay.yaml');
    const configuration = await loadConfiguration({ file, env: {} });
    const below = join(root, 'etc', 'relay', 'restored');
    assert.deepEqual(
      [configuration.workspaces[0]?.trustFile, configuration.metrics.passwordFile, configuration.cache.keyFile, configuration.audit.keyFile],
      [join(below, `workspace-${BANK}-trust`), join(below, 'metrics-password'), undefined, join(root, 'srv', 'keys', 'audit.key')],
    );
    assert.equal(await readFile(join(below, `workspace-${BANK}-trust`), 'utf8'), 'trust.pem');
    assert.match(await readFile(join(root, 'srv', 'keys', 'cache.json'), 'utf8'), /01234567/);
    assert.equal(result.remarks.filter((remark) => /that key is in the data folder now/.test(remark)).length, 2);
  });
});

describe('restore to a machine with a configuration', () => {
  /** Lays out the new machine's own: another relay, with a state of its own. */
  async function other(root: string): Promise<Site> {
    return await laySite(root, { options: 'cache:\n  keyLife: 30d\n' });
  }

  it('keeps the configuration and its secrets, and says where the backup had another', async () => {
    await using at = await rig();
    const machine = await other(at.root);
    await rm(machine.data, { recursive: true });
    await writeFile(join(at.root, 'etc', 'secrets', 'bank.key'), 'another key');
    const configurationFile = machine.configurationFile;
    const before = await contentOf(join(at.root, 'etc'));
    const { plan, run } = await planned(at.backup, { root: at.root, configurationFile });
    const result = await run();
    assert.deepEqual([result.configuration, result.aside], ['of this machine', []]);
    assert.deepEqual(await contentOf(join(at.root, 'etc')), before);
    assert.deepEqual(plan.differences, ['cache.keyLife: "90d" → "30d"']);
    assert.equal((await openState(machine.data)).rootFingerprint, at.site.rootFingerprint);
  });

  it('takes a file that its configuration names, and that is not there, from the backup', async () => {
    await using at = await rig();
    const machine = await other(at.root);
    await rm(machine.data, { recursive: true });
    await rm(join(at.root, 'etc', 'secrets'), { recursive: true });
    await restored(at.backup, { root: at.root, configurationFile: machine.configurationFile });
    assert.equal(await readFile(join(at.root, 'etc', 'secrets', 'bank.key'), 'utf8'), `${SHARED_KEY}\n`);
  });

  it('puts the keys where its own configuration has them', async () => {
    await using at = await rig();
    const keys = join(at.root, 'keys');
    const machine = await laySite(at.root);
    await rm(machine.data, { recursive: true });
    await writeFile(machine.configurationFile, `data: ../data\naudit: { keyFile: ${keys}/audit.key }\ncache: { keyFile: ${machine.data}/keys/ring.json }\n`);
    await restored(at.backup, { root: at.root, configurationFile: machine.configurationFile });
    assert.deepEqual(
      [await readFile(join(keys, 'audit.key'), 'utf8'), await readdir(join(machine.data, 'keys'))],
      [await readFile(join(at.site.data, 'keys', 'audit.key'), 'utf8'), ['ring.json']],
    );
    assert.match(await readFile(join(machine.data, 'keys', 'ring.json'), 'utf8'), /^\{"current"/);
  });

  it('does not touch a state that is there; with --replace it is moved aside whole', async () => {
    await using at = await rig();
    const machine = await other(at.root);
    const before = await contentOf(at.root);
    const attempt = { root: at.root, configurationFile: machine.configurationFile };
    await assert.rejects(planned(at.backup, attempt), { code: 'relay.restore.data-folder-not-empty', message: /add --replace/ });
    assert.deepEqual(await contentOf(at.root), before);

    const state = await contentOf(machine.data);
    const { aside } = await restored(at.backup, { ...attempt, replace: true });
    assert.deepEqual(aside, [`${machine.data}.before-20261129T030000Z`]);
    assert.deepEqual(await contentOf(aside[0] ?? ''), state);
    assert.equal((await openState(machine.data)).rootFingerprint, at.site.rootFingerprint);
  });

  it('with --with-configuration moves its own aside, and the files that were in the way', async () => {
    await using at = await rig();
    const machine = await other(at.root);
    await writeFile(join(at.root, 'etc', 'secrets', 'bank.key'), 'another key');
    const { aside, configuration } = await restored(at.backup, {
      root: at.root,
      configurationFile: machine.configurationFile,
      replace: true,
      withConfiguration: true,
    });
    const suffix = '.before-20261129T030000Z';
    assert.equal(configuration, 'of the backup');
    assert.deepEqual(aside, [machine.data + suffix, join(at.root, 'etc', 'secrets', 'bank.key') + suffix, machine.configurationFile + suffix]);
    assert.equal(await readFile(machine.configurationFile, 'utf8'), await readFile(at.site.configurationFile, 'utf8'));
    assert.equal(await readFile(join(at.root, 'etc', 'secrets', 'bank.key') + suffix, 'utf8'), 'another key');
    assert.match(await readFile(machine.configurationFile + suffix, 'utf8'), /keyLife: 30d/);
  });

  it('refuses while a relay has its state open, and touches nothing', async () => {
    await using at = await rig();
    const machine = await other(at.root);
    const keys = await loadKeyRing(
      { credentialsFolder: undefined, keyFile: undefined, ownFile: join(machine.data, 'keys', 'cache.json'), now: Date.now },
      silentLogger,
    );
    const group = openManagementGroup(join(machine.data, 'management-group.sqlite'), { keys, clock: systemClock, log: silentLogger });
    try {
      await assert.rejects(planned(at.backup, { root: at.root, configurationFile: machine.configurationFile, replace: true }), {
        code: 'relay.management-group.in-use',
      });
    } finally {
      group.close();
    }
  });

  it('leaves everything as it was when the state cannot be made ready', async () => {
    await using at = await rig();
    const machine = await other(at.root);
    const attempt = { root: at.root, configurationFile: machine.configurationFile, replace: true, withConfiguration: true };
    const { run } = await planned(at.backup, attempt);
    const before = await contentOf(at.root);
    // Between the plan and its execution somebody changes the file.
    const bytes = await readFile(at.backup);
    bytes[bytes.length - 5] = (bytes.at(-5) ?? 0) ^ 1;
    await writeFile(at.backup, bytes);
    await assert.rejects(run(), { code: 'relay.backup.damaged' });
    assert.deepEqual(await contentOf(at.root), before);
    assert.deepEqual((await readdir(at.root)).sort(), ['data', 'etc']);
  });
});

describe('a backup that this release cannot use', () => {
  async function rewritten(backup: string, path: string, change: (name: string, text: Buffer) => Buffer): Promise<void> {
    const { contents } = await inspectBackup(backup, PASSPHRASE);
    const members = [...contents].map(([name, content]) => ({ name, content: change(name, content) }));
    const list = members.map(({ name, content }) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`).join('');
    await writeHostileArchive(path, [...members.map(({ name, content }) => ({ name, text: content as never })), { name: 'SHA256SUMS', text: list }]);
  }

  const cases: readonly (readonly [what: string, change: (name: string, content: Buffer) => Buffer, code: string, message: RegExp])[] = [
    [
      'is of a newer format',
      (name, content) => (name === 'manifest.json' ? Buffer.from('{"format":2,"release":"9.9.9"}') : content),
      'relay.backup.newer-format',
      /9\.9\.9/,
    ],
    [
      'has a database of a newer layout',
      (name, content) => (name.endsWith('.sqlite') ? withLayout(content, 99) : content),
      'relay.management-group.newer-file',
      /layout 99/,
    ],
    [
      'has no database',
      (name, content) => (name.endsWith('.sqlite') ? Buffer.alloc(200) : content),
      'relay.management-group.unreadable',
      /does not begin as one/,
    ],
    [
      'has another root than it says',
      (name, content) =>
        name === 'manifest.json'
          ? Buffer.from(content.toString().replace(/"rootFingerprint": "[0-9a-f]{64}"/, `"rootFingerprint": "${'0'.repeat(64)}"`))
          : content,
      'relay.backup.bad-authority',
      /its manifest\.json says 0000/,
    ],
    [
      'has a root without its key',
      (name, content) => (name.endsWith('root.key') ? Buffer.from('none') : content),
      'relay.backup.bad-authority',
      /cannot be read/,
    ],
    [
      'has a key ring that is none',
      (name, content) => (name.endsWith('cache.json') ? Buffer.from('{}') : content),
      'relay.keys.unusable',
      /key ring cannot be used/,
    ],
  ];
  for (const [what, change, code, message] of cases)
    it(`is refused when it ${what}`, async () => {
      await using at = await rig();
      const path = join(at.root, 'changed.age');
      await rewritten(at.backup, path, change);
      await assert.rejects(inspectBackup(path, PASSPHRASE), { code, message });
      assert.deepEqual(await readdir(at.root), ['changed.age']);
    });

  function withLayout(content: Buffer, layout: number): Buffer {
    const changed = Buffer.from(content);
    changed.writeUInt32BE(layout, 60);
    return changed;
  }
});

describe('restore on an appliance', () => {
  async function appliance(root: string): Promise<void> {
    await mkdir(join(root, 'etc', 'relay'), { recursive: true });
    await writeFile(join(root, 'etc', 'relay', 'appliance'), '');
    await mkdir(join(root, 'srv', 'relay', 'data'), { recursive: true });
  }
  const opened = (root: string, name: string): string => join(root, 'run', 'credentials', 'relay.service', name);

  it('puts secrets into the credential store, seals the keys, and has the unit know of them; the relay is stopped for good meanwhile', async () => {
    await using at = await rig();
    const { root } = at;
    await appliance(root);
    const programs = fakePrograms();
    const data = join(root, 'srv', 'relay', 'data');
    await restored(at.backup, { root, programs, data });
    const { machine } = await machineAt(root, programs);
    assert.deepEqual(await machine.store?.list(), [SEALING_KEY, `workspace-${BANK}`]);
    assert.equal((await machine.store?.get(`workspace-${BANK}`))?.toString(), `${SHARED_KEY}\n`);
    const key = Buffer.from((await machine.store?.get(SEALING_KEY))?.toString() ?? '', 'base64');
    assert.equal((await openState(data, ownSecretsWith(key))).rootFingerprint, at.site.rootFingerprint);
    assert.ok(isSealed(await readFile(join(data, 'authority', 'root.key'))));
    const configuration = await loadConfiguration({ file: join(root, 'etc', 'relay', 'relay.yaml'), env: {} });
    assert.equal(configuration.workspaces[0]?.sharedKeyFile, opened(root, `workspace-${BANK}`));
    // No secret is anywhere else, or was on a command line.
    const files = [...(await contentOf(join(root, 'etc'))).entries()].filter(([path]) => !path.includes('credentials/'));
    for (const [path, content] of files) assert.ok(!Buffer.from(content, 'base64').includes(SHARED_KEY), path);
    assert.ok(!programs.told.join('\n').includes(SHARED_KEY));
    assert.ok(
      programs.told.includes('systemctl stop relay-retry.timer') &&
        programs.told.includes('systemctl stop relay.service') &&
        programs.told.includes('announced'),
      programs.told.join('\n'),
    );
  });

  it('whose TPM is gone becomes a relay again: a new sealing key, and every secret of the backup', async () => {
    await using at = await rig();
    const { root } = at;
    await appliance(root);
    const programs = fakePrograms();
    const data = join(root, 'srv', 'relay', 'data');
    const backup = join(root, 'second.age');
    await restored(at.backup, { root, programs, data });
    const { secrets } = await machineAt(root, programs);
    const configurationFile = join(root, 'etc', 'relay', 'relay.yaml');
    await backUp({ ...at.site, configurationFile, data }, backup, { secrets });

    programs.tpm = false;
    const { aside, remarks } = await restored(backup, { root, programs, replace: true });
    assert.match(remarks.join('\n'), /could not open its sealing key \(.*TPM2 device not found.*\); it has a new one/);
    assert.deepEqual(aside, [`${data}.before-20261129T030000Z`, join(root, 'etc', 'relay', 'credentials.before-20261129T030000Z')]);
    const { machine } = await machineAt(root, programs);
    assert.equal((await machine.store?.get(`workspace-${BANK}`))?.toString(), `${SHARED_KEY}\n`);
    const key = Buffer.from((await machine.store?.get(SEALING_KEY))?.toString() ?? '', 'base64');
    assert.equal((await openState(data, ownSecretsWith(key))).rootFingerprint, at.site.rootFingerprint);
    // The old ones are kept out of the store: the unit would not start with one that cannot be opened.
    assert.deepEqual((await readdir(join(root, 'etc', 'relay', 'credentials.before-20261129T030000Z'))).sort(), [SEALING_KEY, `workspace-${BANK}`]);
  });

  it('is refused while its relay runs, and while an upgrade is on trial', async () => {
    await using at = await rig();
    const { root } = at;
    await appliance(root);
    const running = { ...fakePrograms(), run: async () => ({ code: 0, out: '', err: '' }) };
    await assert.rejects(planned(at.backup, { root, programs: running, data: join(root, 'srv', 'relay', 'data') }), {
      code: 'relay.restore.running',
      message: /systemctl stop relay/,
    });
    await mkdir(join(root, 'var', 'lib', 'relay-upgrade'), { recursive: true });
    await writeFile(join(root, 'var', 'lib', 'relay-upgrade', 'trial.json'), '{}');
    await assert.rejects(planned(at.backup, { root, data: join(root, 'srv', 'relay', 'data') }), { code: 'relay.restore.running', message: /on trial/ });
  });
});
