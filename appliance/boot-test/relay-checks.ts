/** What a machine with a relay in it must do, in steps that scenarios share. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { enrolMachine, type Machine, startFleet } from '../../test/support/fleet.ts';
import { type Comparison, readArrived } from '../../test/support/oracle.ts';
import type { VirtualMachine } from './machine.ts';
import { type Site, WORKSPACE } from './site.ts';

const HEALTH_MS = 10_000;
const BOOT_MS = 1_200_000;
const METRICS_PORT = 9464;
const INTAKE_PORT = 443;
const ROOT = '/srv/relay/data/authority/root.pem';

/** Waits until the machine takes data, as a load balancer would ask. */
export async function untilReady(machine: VirtualMachine): Promise<void> {
  await machine.until('/health/ready answers 200', async () => ((await healthOf(machine)) === 200 ? true : undefined));
}

/** Waits until the administrator's key opens the machine, and all that is to be started has been. */
export async function untilSignedIn({ ssh, until }: VirtualMachine): Promise<void> {
  await until('the administrator can sign in', async () => ((await ssh.try('true')).code === 0 ? true : undefined));
  await ssh.root('systemctl is-system-running --wait || true', BOOT_MS);
}

async function healthOf(machine: VirtualMachine): Promise<number | undefined> {
  const request = get({ host: '127.0.0.1', port: machine.port(METRICS_PORT), path: '/health/ready', signal: AbortSignal.timeout(HEALTH_MS) });
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}

/** Waits until the console shows what fits; what it showed. */
export async function untilConsoleShows(pattern: RegExp, { console, until }: VirtualMachine): Promise<RegExpExecArray> {
  return await until(`the console shows ${pattern.source}`, async () => pattern.exec(await console()) ?? undefined);
}

/** The fingerprint of the relay's root, once setup has printed it on the console. */
export async function fingerprintOnConsole(machine: VirtualMachine): Promise<string> {
  const [, fingerprint = ''] = await untilConsoleShows(/root SHA-256\s+([0-9A-Fa-f:]{64,95})/, machine);
  return fingerprint;
}

/** Machines that are enrolled and approved, by this port of the host; the forwarded one unless given. */
export async function enrolMachines(count: number, machine: VirtualMachine, site: Site, port: number = machine.port(INTAKE_PORT)): Promise<readonly Machine[]> {
  const target = { port, rootPem: await machine.ssh.root(`cat ${ROOT}`) };
  const machines: Machine[] = [];
  for (let made = 0; made < count; made += 1) machines.push(await enrolMachine(target, WORKSPACE, site.enrolmentKey));
  return machines;
}

export interface Intake {
  /** Batches acknowledged while the workspace takes them, and then while it answers with errors. */
  readonly reachable: number;
  readonly away: number;
}

/** Has machines send without a pause until so many more batches are acknowledged, then acts while further ones are on their way. */
export async function inTheMiddleOfIntake(
  { reachable, away }: Intake,
  machines: readonly Machine[],
  machine: VirtualMachine,
  site: Site,
  act: () => Promise<void>,
): Promise<void> {
  const { oracle, local } = site;
  const before = oracle.count();
  const fleet = startFleet({ machines, oracle });
  const acknowledged = (count: number): Promise<true> =>
    machine.until(`${count} batches are acknowledged`, async () => (oracle.count() >= before + count ? true : undefined));
  try {
    await acknowledged(reachable);
    await local.setFault({ mode: 'error' });
    await acknowledged(reachable + away);
    await act();
  } finally {
    await fleet.stop();
  }
}

/** How many acknowledged batches the workspace has not got. */
export function missingOf({ oracle, dataFolder }: Site): number {
  return oracle.compare(WORKSPACE, readArrived(dataFolder, WORKSPACE)).missing;
}

/** Waits until everything that these machines had acknowledged is in the workspace, and nothing from them that they did not send. */
export async function everythingArrives(machines: readonly Machine[], machine: VirtualMachine, { oracle, dataFolder }: Site): Promise<Comparison> {
  const ours = new Set<string>(machines.map(({ agentId }) => agentId));
  const compare = (): Comparison => {
    const arrived = readArrived(dataFolder, WORKSPACE).filter(({ agentId }) => ours.has(agentId));
    return oracle.compare(WORKSPACE, arrived);
  };
  const result = await machine.until('every acknowledged batch arrives', async () => (compare().missing === 0 ? compare() : undefined));
  assert.equal(result.invented, 0, 'the workspace has batches that nobody sent');
  return result;
}
