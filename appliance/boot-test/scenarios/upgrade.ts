import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bundle, makeBundles } from '../bundles.ts';
import { nothingFailed } from '../checks.ts';
import type { VirtualMachine } from '../machine.ts';
import { createPlainMachine } from '../plain-machine.ts';
import { enrolMachines, everythingArrives, inTheMiddleOfIntake, missingOf, untilReady, untilSignedIn } from '../relay-checks.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { openSite } from '../site.ts';
import { openTap } from '../tap.ts';

const MACHINES = 4;
const REACHABLE = 20;
const AWAY = 100;
/** Software emulation starts a release in minutes. */
const WELL_WITHIN = '20m';
const UPGRADE_LIMIT_MS = 3_600_000;
const HOME = '/home/ops';

export const upgrade: Scenario = {
  name: 'upgrade',
  about: 'A signed release with data in the cache, then one that does not start: it is taken back by itself, and nothing is lost.',
  run: boot,
};

async function boot(bench: Bench): Promise<void> {
  const { steps, folder } = bench;
  using tap = openTap('relay-bt2');
  await using site = await openSite(folder);
  await using machine = await createPlainMachine('relay3.boot.test', { bench, site, tap });
  const { publicKey, good, broken } = await steps.step('two bundles are made and signed', () => makeBundles(join(folder, 'bundles')));

  await steps.step('first boot with answers: ready to take data', async () => {
    await machine.boot();
    await untilReady(machine);
    await untilSignedIn(machine);
  });
  const machines = await steps.step(`${MACHINES} machines enrol and are approved`, () => enrolMachines(MACHINES, machine, site));
  await steps.step('data is taken, and the last of it stays in the cache', () =>
    inTheMiddleOfIntake({ reachable: REACHABLE, away: AWAY }, machines, machine, site, async () => {}),
  );
  steps.note(`${site.oracle.count()} batches were acknowledged, ${missingOf(site)} of them had not arrived yet`);
  assert.ok(missingOf(site) > 0, 'nothing is in the cache: that shows nothing');

  await steps.step('a bundle whose key the machine does not know is refused', async () => {
    const { code, out, err } = await upgradeTo(good, machine);
    assert.notEqual(code, 0);
    steps.note((err || out).trim());
  });
  await steps.step('the operator trusts the key', async () => {
    await writeFile(join(folder, 'release.pem'), publicKey);
    await machine.ssh.copy(join(folder, 'release.pem'), `${HOME}/release.pem`);
    await machine.ssh.root(`install -m 0644 ${HOME}/release.pem /etc/relay/release-keys/`);
  });
  await steps.step(`upgrade to ${good.version}: it is well and stays`, async () => {
    const { code, out, err } = await upgradeTo(good, machine);
    steps.note((out + err).trim());
    assert.equal(code, 0);
    assert.equal(await currentOf(machine), good.version);
  });
  await steps.step(`upgrade to ${broken.version}, which does not start: ${good.version} comes back by itself`, async () => {
    const { code, out, err } = await upgradeTo(broken, machine);
    steps.note((out + err).trim());
    assert.equal(code, 1);
    assert.equal(await currentOf(machine), good.version);
    assert.match(out + err, /this release is broken/);
  });
  await steps.step('ready to take data', () => untilReady(machine));
  await site.local.setFault({ mode: 'none' });
  const compared = await steps.step('every acknowledged batch arrives', async () => {
    // The relay would try again by itself within eight minutes.
    await machine.ssh.root('systemctl restart relay.service', UPGRADE_LIMIT_MS);
    return await everythingArrives(machines, machine, site);
  });
  steps.note(`${compared.arrived} arrived, ${compared.repeated} of them more than once`);
  await steps.step('no unit has failed', () => nothingFailed(machine.ssh));
  await steps.step('power off in order', () => machine.powerOff());
}

async function upgradeTo({ file }: Bundle, { ssh }: VirtualMachine): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  await ssh.copy(file, `${HOME}/relay.bundle`);
  return await ssh.try(`relay upgrade ${HOME}/relay.bundle --healthy-within ${WELL_WITHIN}`, UPGRADE_LIMIT_MS);
}

async function currentOf({ ssh }: VirtualMachine): Promise<string> {
  return (await ssh.root('basename "$(readlink /opt/relay/current)"')).trim();
}
