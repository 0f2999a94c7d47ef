import type { NetworkInterfaceInfo } from 'node:os';
import type { PathOptions } from '../../workspace/path-options.ts';
import { plainAddress } from './addresses.ts';

/** The machine's interfaces that are up and have a carrier, as `os.networkInterfaces()` gives them. */
export type Interfaces = () => NodeJS.Dict<NetworkInterfaceInfo[]>;

/** The address to bind to for each family; nothing where the system shall choose. Or why there is none. */
export type Source =
  | { readonly found: true; readonly address: (family: number) => string | undefined; readonly isBound: boolean; readonly device?: string | undefined }
  | { readonly found: false; readonly message: string };

/**
 * The local address that connections come from. An interface that is down or has lost its carrier has none: then nothing is connected.
 * Binding to an address lets the system's policy routing choose the road by source; it does not bind to the device, which Node cannot. So where a
 * device is given, the route is asked for as well (`route-check.ts`).
 */
export function sourceOf({ sourceAddress, interface: device }: Pick<PathOptions, 'sourceAddress' | 'interface'>, interfaces: Interfaces): Source {
  if (sourceAddress === undefined && device === undefined) return { found: true, address: () => undefined, isBound: false };
  const all = interfaces();
  const usable = (device === undefined ? Object.values(all).flat() : (all[device] ?? [])).filter((each) => each && !each.address.startsWith('fe80:'));
  const held = usable.flatMap((each) => (each && (sourceAddress === undefined || plainAddress(each.address) === plainAddress(sourceAddress)) ? [each] : []));
  if (held.length === 0) return { found: false, message: missing(sourceAddress, device) };
  return { found: true, address: (family) => held.find((each) => each.family === `IPv${family}`)?.address, isBound: true, device };
}

function missing(sourceAddress: string | undefined, device: string | undefined): string {
  const what = sourceAddress === undefined ? `The interface ${device} is not up or has no address` : `No interface that is up has the address ${sourceAddress}`;
  const where = sourceAddress !== undefined && device !== undefined ? ` on ${device}` : '';
  return `${what}${where}. Nothing is sent; check it with: ip address`;
}
