import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';

const UNKNOWN_ADDRESS = 'Unknown IP';

/** What records say of the machine they come from. */
export interface Host {
  /** The short host name. */
  readonly name: string;
  readonly osName: string;
  readonly osMajorVersion: string;
  readonly osMinorVersion: string;
}

/** Reads what this machine is; `name` replaces its host name. Never fails: what cannot be read is `Linux 0`. */
export async function readHost(name: string = hostname()): Promise<Host> {
  const release = parseRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  const [major = '0', minor = await debianMinor(release.get('ID'))] = (release.get('VERSION_ID') ?? '0').split('.');
  return { name: name.split('.')[0] || name, osName: release.get('NAME') ?? 'Linux', osMajorVersion: major, osMinorVersion: minor };
}

/** Name and version, such as `Debian GNU/Linux 12.11`. */
export function operatingSystemOf(host: Host): string {
  return `${host.osName} ${host.osMajorVersion}.${host.osMinorVersion}`;
}

/** The machine's IPv4 addresses other than loopback, as they are now. */
export function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
}

/** The first of the machine's addresses, or the words the Linux agent uses when there is none. */
export function firstAddress(): string {
  return ownAddresses()[0] ?? UNKNOWN_ADDRESS;
}

// KEY=value, the value perhaps in quotes (os-release(5)).
function parseRelease(text: string): Map<string, string> {
  const lines = text.matchAll(/^([A-Z_]+)=["']?(.*?)["']?$/gm);
  return new Map([...lines].map(([, key = '', value = '']) => [key, value]));
}

// Debian's os-release has the major version alone.
async function debianMinor(id: string | undefined): Promise<string> {
  const version = id === 'debian' ? await readFile('/etc/debian_version', 'utf8').catch(() => '') : '';
  return /^\d+\.(\d+)/.exec(version)?.[1] ?? '0';
}
