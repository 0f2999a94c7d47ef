import assert from 'node:assert/strict';
import { join } from 'node:path';
import { cloudFiles, workspaceAnswers } from '../answers.ts';
import { listedPorts, nothingFailed, onlyListedPortsListen, portsThatAnswer, unitsAreHardened } from '../checks.ts';
import { createMachine, type VirtualMachine } from '../machine.ts';
import { CARDS } from '../qemu-arguments.ts';
import { enrolMachines, everythingArrives, inTheMiddleOfIntake, missingOf, untilConsoleShows, untilReady, untilSignedIn } from '../relay-checks.ts';
import { openRoad } from '../road.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { openSite } from '../site.ts';
import { DIRECT, openTap } from '../tap.ts';

const MACHINES = 4;
const REACHABLE = 50;
const AWAY = 100;
/** What the machine has by DHCP on the forwarded card. */
const MANAGEMENT_ADDRESS = '10.0.2.15';

export const secureBoot: Scenario = {
  name: 'secure-boot',
  about: 'Secure Boot and a TPM 2, a network of its own for management: first boot, the TPM taken away, the TPM given back.',
  run: boot,
};

async function boot(bench: Bench): Promise<void> {
  const { steps, folder } = bench;
  using tap = openTap('relay-bt1');
  await using site = await openSite(folder);
  // The forwarded card is the side of management: agents come by the direct network.
  await using road = await openRoad(DIRECT.machine, 443);
  await using machine = await createMachine({
    ...bench,
    folder: join(folder, 'machine'),
    firmware: 'secure-boot',
    hasTpm: true,
    memoryMib: 2048,
    processors: 2,
    tap: tap.name,
    ports: [9464],
    answers: cloudFiles({
      name: 'relay2.boot.test',
      interface: CARDS.direct,
      address: `${DIRECT.machine}/${DIRECT.prefix}`,
      management: { interface: CARDS.forwarded, address: 'dhcp' },
      metrics: { address: MANAGEMENT_ADDRESS },
      sshKeys: [bench.sshPublicKey],
      workspaces: [workspaceAnswers(site)],
    }),
  });

  await steps.step('first boot with Secure Boot and TPM 2: ready to take data', async () => {
    await machine.boot();
    await untilReady(machine);
  });
  await look(bench, machine);

  const machines = await steps.step(`${MACHINES} machines enrol and are approved`, () => enrolMachines(MACHINES, machine, site, road.port));
  await steps.step('data is taken, and the last of it stays in the cache', () =>
    inTheMiddleOfIntake({ reachable: REACHABLE, away: AWAY }, machines, machine, site, async () => {}),
  );
  steps.note(`${site.oracle.count()} batches were acknowledged, ${missingOf(site)} of them had not arrived yet`);
  await steps.step('power off in order', () => machine.powerOff());
  await withoutTpm(bench, machine);

  await steps.step('the TPM is back: ready again', async () => {
    await site.local.setFault({ mode: 'none' });
    await machine.boot({ withTpm: true });
    await untilReady(machine);
  });
  const compared = await steps.step('every acknowledged batch arrives', () => everythingArrives(machines, machine, site));
  steps.note(`${compared.arrived} arrived, ${compared.repeated} of them more than once`);
  await steps.step('no unit has failed', () => nothingFailed(machine.ssh));
  await steps.step('power off in order', () => machine.powerOff());
}

async function look({ steps }: Bench, machine: VirtualMachine): Promise<void> {
  const { ssh } = machine;
  await steps.step('the administrator signs in with the key of the answers', () => untilSignedIn(machine));
  await steps.step('the firmware has checked what was started', async () => {
    assert.equal((await ssh.root("od -An -tu1 -j4 -N1 /sys/firmware/efi/efivars/SecureBoot-* | tr -d ' \\n'")).trim(), '1');
  });
  await steps.step('the console says that secrets are sealed to the TPM', () => untilConsoleShows(/secrets .*TPM 2/, machine));
  await steps.step('no unit has failed', () => nothingFailed(ssh));
  steps.note((await unitsAreHardened(ssh)).join('\n'));
  const listed = await listedPorts({ '127.0.0.1:9464': `${MANAGEMENT_ADDRESS}:9464`, '127.0.0.1:9100': '*:9100' });
  await steps.step('only the ports that are listed listen', () => onlyListedPortsListen(ssh, listed));
  const open = await steps.step('on the side of the agents, only 443 of all ports answers', () => portsThatAnswer(DIRECT.machine));
  assert.deepEqual(open, [443]);
}

async function withoutTpm({ steps }: Bench, machine: VirtualMachine): Promise<void> {
  await steps.step('the TPM is taken away: the relay does not start, and the console says why', async () => {
    await machine.boot({ withTpm: false });
    const [reason] = await untilConsoleShows(/The relay did not start[^\r\n]*TPM[^\r\n]*/, machine);
    steps.note(reason);
  });
  await steps.step('the administrator still gets in, and is told at login', async () => {
    await untilSignedIn(machine);
    assert.notEqual((await machine.ssh.root('systemctl is-active relay.service || true')).trim(), 'active');
    assert.match(await machine.ssh.root('run-parts /etc/update-motd.d'), /TPM/);
  });
  await steps.step('nothing of the keys is on the disk in the clear', async () => {
    const found = await machine.ssh.root('grep -lE \'PRIVATE KEY|"keys"\' -r /srv/relay/data/authority /srv/relay/data/keys || true');
    assert.equal(found.trim(), '');
  });
  await steps.step('power off in order', () => machine.powerOff());
}
