import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Configuration } from '../configuration/schema.ts';
import { RelayError } from '../errors.ts';
import { readFileIfAny } from '../files.ts';
import { write } from './apply.ts';
import { firewallOf } from './firewall.ts';
import type { Machine } from './machine.ts';
import type { MachineNetwork } from './machine-network.ts';
import { ROOT } from './planned.ts';
import { dropInOf, policyRoutingOf } from './policy-routing.ts';

const DROP_IN = '60-relay.conf';
const LIMIT_MS = 60_000;

type Interfaces = Parameters<typeof policyRoutingOf>[1];

export interface NetworkParts {
  readonly machine: Pick<Machine, 'files' | 'programs' | 'own'>;
  readonly configuration: Pick<Configuration, 'intake' | 'senders' | 'tunnel' | 'metrics' | 'workspaces'>;
  readonly network: MachineNetwork;
  readonly interfaces: Interfaces;
}

/** What was done, a sentence each. */
export interface NetworkOutcome {
  readonly done: readonly string[];
  /** Paths that wait for their interface or are in one another's way. */
  readonly waiting: readonly string[];
}

/**
 * Loads the firewall, all of it or none, and gives systemd-networkd the routing of the paths. Throws `relay.setup.firewall` when nft does not take the rules (the ones
 * before hold on), and `relay.setup.routing` when networkd does not take its files.
 */
export async function applyNetwork(parts: NetworkParts): Promise<NetworkOutcome> {
  const firewall = await loadFirewall(parts);
  const { routes, waiting } = policyRoutingOf(parts.configuration.workspaces, parts.interfaces);
  const wanted = new Map<string, string>();
  const deviceOf = new Map<string, string>();
  for (const device of new Set(routes.map((route) => route.device))) {
    const path = join(await dropInFolder(device, parts), DROP_IN);
    wanted.set(path, dropInOf(routes.filter((route) => route.device === device)));
    deviceOf.set(path, device);
  }
  const changed = await putDropIns(wanted, waiting.length > 0, parts);
  if (changed.length > 0)
    await tellNetworkd(
      changed.flatMap((path) => deviceOf.get(path) ?? []),
      parts,
    );
  const roads = routes.map(({ source, gateway, device, table }) => `from ${source} by ${gateway} on ${device}, table ${table}`);
  return { done: [firewall, ...(roads.length === 0 ? [] : [`routing by source: ${roads.join('; ')}${changed.length > 0 ? '' : ' (as before)'}`])], waiting };
}

async function loadFirewall({ machine, configuration, network }: NetworkParts): Promise<string> {
  const { programs, files } = machine;
  const text = firewallOf(configuration, network);
  const nft = async (args: readonly string[]): Promise<void> => {
    const { code, err } = await programs.run('nft', args, { input: text, timeoutMs: LIMIT_MS });
    if (code === 0) return;
    throw new RelayError('relay.setup.firewall', `nft ${args.join(' ')} ended with ${code}: ${err.trim().slice(0, 1000)} The rules before hold on.`);
  };
  await nft(['-c', '-f', '-']);
  const before = await readFileIfAny(files.firewall);
  await nft(['-f', '-']);
  // The next boot loads it before there is a network.
  if (before?.toString() !== text) await write(files.firewall, text, { mode: 0o755, owner: ROOT }, machine);
  return 'the firewall is loaded';
}

// networkd reads drop-ins beside the file that it uses for the interface, whoever wrote that.
async function dropInFolder(device: string, { machine: { programs, files } }: NetworkParts): Promise<string> {
  const { code, out } = await programs.run('networkctl', ['status', '--json=short', device], { timeoutMs: LIMIT_MS });
  const file = code === 0 ? networkFileIn(out) : undefined;
  return join(files.networkd, `${file === undefined ? `10-netplan-${device}.network` : basename(file)}.d`);
}

function networkFileIn(json: string): string | undefined {
  try {
    const { NetworkFile: file } = JSON.parse(json) as { readonly NetworkFile?: unknown };
    return typeof file === 'string' && file.endsWith('.network') ? file : undefined;
  } catch {
    return undefined;
  }
}

// While a path waits for its interface, nothing is taken away: it may be the one that was set up for it.
async function putDropIns(wanted: ReadonlyMap<string, string>, isWaiting: boolean, { machine }: NetworkParts): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const path of await dropInsIn(machine.files.networkd)) {
    if (wanted.has(path) || isWaiting) continue;
    await write(path, undefined, { mode: 0o644, owner: ROOT }, machine);
    changed.push(path);
  }
  for (const [path, text] of wanted) {
    if ((await readFile(path, 'utf8').catch(() => undefined)) === text) continue;
    await write(path, text, { mode: 0o644, owner: ROOT }, machine);
    changed.push(path);
  }
  return changed;
}

async function dropInsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith('.network.d'))
      .map(async (name) => ((await readFileIfAny(join(folder, name, DROP_IN))) ? [join(folder, name, DROP_IN)] : [])),
  );
  return found.flat();
}

async function tellNetworkd(devices: readonly string[], { machine: { programs } }: NetworkParts): Promise<void> {
  const commands = [['reload'], ...(devices.length === 0 ? [] : [['reconfigure', ...devices]])];
  for (const args of commands) {
    const { code, err } = await programs.run('networkctl', args, { timeoutMs: LIMIT_MS });
    if (code !== 0) throw new RelayError('relay.setup.routing', `networkctl ${args.join(' ')} ended with ${code}: ${err.trim()} Look at: networkctl status`);
  }
}
