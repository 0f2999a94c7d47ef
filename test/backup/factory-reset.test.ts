import assert from 'node:assert/strict';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Ask } from '../../src/commands/ask.ts';
import { factoryResetCommand, type ResetCommandParts } from '../../src/commands/factory-reset.ts';
import type { Programs, Ran } from '../../src/host/run-program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { contentOf } from './rig.ts';

const KEPT = [
  'etc/relay/appliance',
  'etc/relay/release-keys/site.pem',
  'opt/relay/releases/1.0.0/release.json',
  'etc/ssh/sshd_config',
  'etc/systemd/resolved.conf.d/relay.conf',
];
const ERASED = [
  'etc/relay/relay.yaml',
  'etc/relay/relay.yaml.before-20261128T000000Z',
  'etc/relay/answers.yaml',
  'etc/relay/network.yaml',
  'etc/relay/trust/bank.pem',
  'etc/relay/restored/metrics-password',
  'etc/relay/credentials/sealing-key',
  'etc/relay/credentials/workspace-1',
  'etc/relay/credentials.before-20261128T000000Z/sealing-key',
  'var/lib/systemd/credential.secret',
  'srv/relay/data/authority/root.key',
  'srv/relay/data.before-20261128T000000Z/authority/root.key',
  'srv/relay/redis/appendonly.aof',
  'var/lib/relay-upgrade/trial.json',
  'etc/netplan/60-relay.yaml',
  'etc/systemd/network/10-netplan-eth0.network.d/60-relay.conf',
  'etc/systemd/resolved.conf.d/60-relay.conf',
  'etc/chrony/sources.d/relay.sources',
  'etc/systemd/system/relay.service.d/credentials.conf',
  'etc/issue.d/relay.issue',
  'etc/ssh/ssh_host_ed25519_key',
  'home/ops/.ssh/authorized_keys',
  'var/lib/cloud/instance/user-data.txt',
  'var/log/journal/0123/system.journal',
  'var/log/cloud-init.log',
];

interface Rig extends AsyncDisposable {
  readonly root: string;
  readonly told: string[];
  readonly said: string[];
  run(...words: string[]): Promise<unknown>;
}

/** An appliance of files, and programs that note what they are told. `answer`: what a person types; nobody is there without. */
async function rig({ answer, fails = () => false }: { readonly answer?: string; readonly fails?: (told: string) => boolean } = {}): Promise<Rig> {
  const folder = await temporaryFolder();
  const root = folder.path;
  for (const path of [...KEPT, ...ERASED, 'etc/machine-id', 'etc/hostname', 'etc/nftables.conf']) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), `site's own: ${path}`);
  }
  await mkdir(join(root, 'etc/default'), { recursive: true });
  await writeFile(join(root, 'etc/default/prometheus-node-exporter'), 'ARGS="--web.listen-address=10.1.2.3:9100"\n');
  const told: string[] = [];
  const said: string[] = [];
  const programs: Programs = {
    async run(program, args): Promise<Ran> {
      const line = [program, ...args].join(' ');
      told.push(line);
      return { code: fails(line) ? 1 : 0, out: '', err: 'no' };
    },
  };
  const ask: Ask = { isThere: answer !== undefined, line: async () => answer ?? '', secret: async () => '' };
  const parts: Partial<ResetCommandParts> = {
    outputFor: (json) => ({ json, line: (text) => void said.push(text) }),
    ask,
    root,
    programs,
    host: 'relay-7',
    say: (text) => void said.push(text),
  };
  return {
    root,
    told,
    said,
    run: (...words) => factoryResetCommand(parts).parseAsync(words, { from: 'user' }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe('relay factory-reset', () => {
  it('leaves nothing of the site, keeps the program and whom it trusts for releases, and starts again', async () => {
    await using appliance = await rig();
    await appliance.run('--yes-erase', 'relay-7');
    const left = await contentOf(appliance.root);
    assert.deepEqual([...left.keys()].sort(), [...KEPT, 'etc/machine-id', 'etc/hostname', 'etc/nftables.conf', 'etc/default/prometheus-node-exporter'].sort());
    assert.equal(await readFile(join(appliance.root, 'etc/machine-id'), 'utf8'), '');
    assert.equal(await readFile(join(appliance.root, 'etc/hostname'), 'utf8'), 'relay\n');
    assert.match(await readFile(join(appliance.root, 'etc/default/prometheus-node-exporter'), 'utf8'), /127\.0\.0\.1:9100/);
    const firewall = await readFile(join(appliance.root, 'etc/nftables.conf'), 'utf8');
    assert.deepEqual(firewall.match(/dport \d+/g), ['dport 68', 'dport 546', 'dport 22']);
    assert.deepEqual(await readdir(join(appliance.root, 'srv/relay')), []);
    assert.equal(appliance.told.at(-1), 'systemctl reboot');
  });

  it('destroys the keys before it touches anything else, and stops the relay before that', async () => {
    await using appliance = await rig({ fails: (told) => told === 'systemctl stop relay-redis.service' });
    // Whatever happens at this moment, nothing was erased yet.
    await assert.rejects(appliance.run('--yes-erase', 'relay-7'), { code: 'relay.factory-reset.failed' });
    assert.equal([...(await contentOf(appliance.root)).keys()].filter((path) => ERASED.includes(path)).length, ERASED.length);

    // A key that cannot be destroyed: the relay is stopped already, and its state is still there.
    await using stuck = await rig();
    await rm(join(stuck.root, 'var/lib/systemd/credential.secret'));
    await mkdir(join(stuck.root, 'var/lib/systemd/credential.secret'));
    await assert.rejects(stuck.run('--yes-erase', 'relay-7'), { code: 'relay.factory-reset.failed', message: /the keys are destroyed/ });
    assert.deepEqual(
      stuck.told,
      ['relay-retry.timer', 'relay-network.path', 'relay.service', 'relay-redis.service'].map((unit) => `systemctl stop ${unit}`),
    );
    const left = [...(await contentOf(stuck.root)).keys()];
    assert.deepEqual(
      ERASED.filter((path) => !path.startsWith('etc/relay/credentials') && !path.includes('credential.secret') && !left.includes(path)),
      [],
    );
  });

  it('overwrites a key before it is removed', async () => {
    await using appliance = await rig();
    const key = join(appliance.root, 'etc/relay/credentials/sealing-key');
    // Another name for the same bytes on the disk.
    await link(key, join(appliance.root, 'witness'));
    const before = await readFile(key);
    await appliance.run('--yes-erase', 'relay-7');
    const after = await readFile(join(appliance.root, 'witness'));
    await rm(join(appliance.root, 'witness'));
    assert.equal(after.length, before.length);
    assert.notDeepEqual(after, before);
  });

  it('goes on when something cannot be removed, says what, and does not start again', async () => {
    await using appliance = await rig();
    // A file where a folder belongs.
    await rm(join(appliance.root, 'var/lib/cloud'), { recursive: true });
    await writeFile(join(appliance.root, 'var/lib/cloud'), '');
    await assert.rejects(appliance.run('--yes-erase', 'relay-7'), {
      exitCode: 1,
      message: /The keys are destroyed, but not everything is gone:\n {2}not done: names, addresses/,
    });
    assert.ok(!appliance.told.includes('systemctl reboot'));
    assert.ok(appliance.told.includes('fstrim --all'));
  });

  it('asks for the name of the machine, and takes no other', async () => {
    for (const answer of ['', 'y', 'relay-8']) {
      await using appliance = await rig({ answer });
      const before = await contentOf(appliance.root);
      await assert.rejects(appliance.run(), { exitCode: 2, message: /is not the name of this machine, which is relay-7\. Nothing was touched/ });
      assert.deepEqual([await contentOf(appliance.root), appliance.told], [before, []]);
    }
    await using appliance = await rig({ answer: 'relay-7' });
    await appliance.run('--power-off');
    assert.match(appliance.said[0] ?? '', /This erases relay-7 for good:\n.*never delivered: nothing at this moment/);
    assert.equal(appliance.told.at(-1), 'systemctl poweroff');
  });

  it('erases nothing without a person or a name, nor on a machine that is no appliance', async () => {
    await using appliance = await rig();
    await assert.rejects(appliance.run(), { exitCode: 2, message: /--yes-erase <its host name>/ });
    await rm(join(appliance.root, 'etc/relay/appliance'));
    await assert.rejects(appliance.run('--yes-erase', 'relay-7'), { exitCode: 2, message: /is no appliance/ });
    assert.deepEqual(appliance.told, []);
  });
});
