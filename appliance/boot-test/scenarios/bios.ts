import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readArrived } from '../../../test/support/oracle.ts';
import { listedPorts, nothingFailed, onlyListedPortsListen, portsThatAnswer, unitsAreHardened } from '../checks.ts';
import type { VirtualMachine } from '../machine.ts';
import { createPlainMachine } from '../plain-machine.ts';
import { runNow } from '../programs.ts';
import { enrolRelayAgent, runRelayAgent } from '../relay-agent.ts';
import { enrolMachines, everythingArrives, fingerprintOnConsole, inTheMiddleOfIntake, missingOf, untilReady, untilSignedIn } from '../relay-checks.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { openSite, type Site, WORKSPACE } from '../site.ts';
import { BEYOND, DIRECT, openTap } from '../tap.ts';

const GIB = 1024 ** 3;
/** As build.sh makes it. */
const IMAGE_GIB = 32;
const SYSTEM_GIB = 8;
const GROWN_GIB = 4;
const DISK_BYTES = GIB;
const UNKNOWN_BYTES = 4096;

const MACHINES = 4;
const BEFORE_CUT = 200;
const AWAY_BEFORE_CUT = 200;

export const bios: Scenario = {
  name: 'bios',
  about: 'BIOS, two network cards, no TPM: first boot, what is open, an agent, policy routing, a power cut in the middle of intake.',
  run: boot,
};

async function boot(bench: Bench): Promise<void> {
  const { steps, folder } = bench;
  using tap = openTap('relay-bt0');
  await using site = await openSite(folder);
  await using machine = await createPlainMachine('relay1.boot.test', { bench, site, tap });

  await steps.step('first boot with answers: ready to take data', async () => {
    await machine.boot();
    await untilReady(machine);
  });
  await look(bench, machine);
  await withAgent(bench, machine, site);

  const machines = await steps.step(`${MACHINES} more machines enrol and are approved`, () => enrolMachines(MACHINES, machine, site));
  await steps.step('the boot menu is written as an update of the kernel writes it', () => machine.ssh.root('update-grub && sync'));
  await steps.step('power cut in the middle of intake, the workspace reachable for half of it', async () => {
    await inTheMiddleOfIntake({ reachable: BEFORE_CUT, away: AWAY_BEFORE_CUT }, machines, machine, site, () => machine.cutPower());
    await site.local.setFault({ mode: 'none' });
  });
  const missing = missingOf(site);
  steps.note(`${site.oracle.count()} batches were acknowledged, ${missing} of them had not arrived yet`);
  assert.ok(missing > 0, 'nothing was in the cache when the power was cut: that shows nothing');

  const disks = await furtherDisks(folder);
  for (const { file } of disks) machine.attach(file);
  machine.growDisk(GROWN_GIB);
  await steps.step('boot after the power cut, with a larger disk and three more: ready again', async () => {
    await machine.boot();
    await untilReady(machine);
  });
  await steps.step('the data has the new room, and what held anything is untouched', () => roomIsUsed(machine, disks));
  const compared = await steps.step('every acknowledged batch arrives', () => everythingArrives(machines, machine, site));
  steps.note(`${compared.arrived} arrived, ${compared.repeated} of them more than once`);
  await steps.step('nothing has failed', () => nothingFailed(machine.ssh));
  await steps.step('power off in order', () => machine.powerOff());
}

interface Disk {
  readonly file: string;
  readonly isEmpty: boolean;
  readonly sha256: string;
}

// One that may be used, one with a file system, and one with data that no program knows, as an encrypted disk looks.
async function furtherDisks(folder: string): Promise<readonly Disk[]> {
  const make = async (name: string, fill: (file: string) => Promise<unknown>, isEmpty: boolean): Promise<Disk> => {
    const file = join(folder, `${name}.raw`);
    await writeFile(file, '');
    await truncate(file, DISK_BYTES);
    await fill(file);
    return { file, isEmpty, sha256: await hashOf(file) };
  };
  return [
    await make('empty', async () => {}, true),
    await make('with-files', async (file) => runNow('mke2fs', ['-q', '-t', 'ext4', '-L', 'precious', file]), false),
    await make('unknown', (file) => writeFile(file, randomBytes(UNKNOWN_BYTES), { flag: 'r+' }), false),
  ];
}

async function roomIsUsed(machine: VirtualMachine, disks: readonly Disk[]): Promise<void> {
  const gib = Number(await machine.ssh.root('df --output=size -B1M /srv/relay | tail -n 1')) / 1024;
  const expected = IMAGE_GIB - SYSTEM_GIB + GROWN_GIB + DISK_BYTES / GIB;
  assert.ok(gib > expected * 0.95 && gib <= expected, `/srv/relay has ${gib.toFixed(1)} GiB; about ${expected} expected`);
  for (const { file, isEmpty, sha256 } of disks) assert.equal((await hashOf(file)) === sha256, !isEmpty, `${file}: ${isEmpty ? 'not used' : 'written to'}`);
}

async function hashOf(file: string): Promise<string> {
  return hash('sha256', await readFile(file));
}

async function look({ steps }: Bench, machine: VirtualMachine): Promise<void> {
  const { ssh } = machine;
  await steps.step('the administrator signs in with the key of the answers', () => untilSignedIn(machine));
  steps.note(`${await ssh.root('systemd-analyze time || true')}${await ssh.root('df -h / /srv/relay; free -m')}`.trim());
  await steps.step('no unit has failed', () => nothingFailed(ssh));
  const scores = await steps.step('every unit of ours is hardened', () => unitsAreHardened(ssh));
  steps.note(scores.join('\n'));
  const listed = await listedPorts({ '127.0.0.1:9464': '0.0.0.0:9464' });
  await steps.step('only the ports that are listed listen', () => onlyListedPortsListen(ssh, listed));
  const open = await steps.step('of all ports, the host reaches only those that are listed for it', () => portsThatAnswer(DIRECT.machine));
  assert.deepEqual(open, [22, 443, 9464]);
  steps.note(await ssh.root('run-parts /etc/update-motd.d'));
}

async function withAgent({ steps, folder }: Bench, machine: VirtualMachine, site: Site): Promise<void> {
  const place = join(folder, 'agent');
  const rootFingerprint = await fingerprintOnConsole(machine);
  await steps.step('an agent enrols by the fingerprint that the console shows', () =>
    enrolRelayAgent({ folder: place, relay: `https://127.0.0.1:${machine.port(443)}`, rootFingerprint, enrolmentKey: site.enrolmentKey }),
  );
  const agent = runRelayAgent(place);
  try {
    await steps.step('its data reaches the workspace', () =>
      machine.until('data of the agent', async () => (readArrived(site.dataFolder, WORKSPACE).length > 0 ? true : undefined)),
    );
  } finally {
    await agent.end('SIGTERM');
  }
  await steps.step('it got there by policy routing, from the address that the path names', async () => {
    const port = new URL(site.endpoint).port;
    const from = await machine.until('a connection to the workspace', async () => {
      const peers = runNow('ss', ['-Htn', 'state', 'established', 'sport', '=', `:${port}`]).trim();
      return peers === '' ? undefined : peers;
    });
    assert.match(from, new RegExp(`${BEYOND.replaceAll('.', '\\.')}\\]?:${port}\\s+(\\[::ffff:)?${DIRECT.machine.replaceAll('.', '\\.')}`));
    assert.match(await machine.ssh.root(`ip route get ${BEYOND} from ${DIRECT.machine}`), new RegExp(`via ${DIRECT.host.replaceAll('.', '\\.')}`));
    assert.doesNotMatch(await machine.ssh.root(`ip route get ${BEYOND}`), new RegExp(`via ${DIRECT.host.replaceAll('.', '\\.')}`));
  });
}
