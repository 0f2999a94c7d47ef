/** Small files of the machine, as the answers have them. Each function is given what is there now, where others write into it as well. */
import { isIP } from 'node:net';
import { mergeList } from './merge-list.ts';

const HEAD = '# Written by relay setup from its answers.\n';
const EXPORTER_PORT = 9100;

/** systemd-resolved: these name servers, for every name and before those of the links. */
export function resolverText(dns: readonly string[]): string {
  return `${HEAD}[Resolve]\nDNS=${dns.join(' ')}\nDomains=~.\n`;
}

/** chrony's sources. */
export function timeSourcesText(ntp: readonly string[]): string {
  return `${HEAD}${ntp.map((server) => `server ${server} iburst\n`).join('')}`;
}

/** cloud-init keeps its hands off the name, and off the network where setup owns that. */
export function cloudSettingsText({ ownsNetwork }: { readonly ownsNetwork: boolean }): string {
  return `${HEAD}preserve_hostname: true\n${ownsNetwork ? 'network: {config: disabled}\n' : ''}`;
}

/** Arguments of the exporter, with another address to listen at; undefined when they name none, which is then the package's own. */
export function exporterText(found: string, address: string): string | undefined {
  const LISTEN = /(--web\.listen-address=)[^\s"']+/;
  if (!LISTEN.test(found)) return undefined;
  return found.replace(LISTEN, `$1${isIP(address) === 6 ? `[${address}]` : address}:${EXPORTER_PORT}`);
}

/** The administrator's keys: those of the answers, beside those put there by hand. Undefined when they stay as they are. */
export function authorizedKeysText(found: string, keys: { readonly before: readonly string[]; readonly now: readonly string[] }): string | undefined {
  const lines = found.split('\n').filter((line) => line.trim() !== '');
  const merged = mergeList(lines, keys);
  return merged === undefined ? undefined : merged.map((line) => `${line}\n`).join('');
}
