import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../errors.ts';
import { plainAddress } from './addresses.ts';
import { type RoadError, roadError } from './road-error.ts';

const LIMIT_MS = 5_000;

/** By which interface the system would send from one address to another, or why nobody knows. */
export type RouteOf = (address: string, from: string) => Promise<{ readonly device: string } | { readonly unknown: string }>;

/** Asks the system by `ip route get` (iproute2), which follows the rules of policy routing as a connection would. */
export const routeBySystem: RouteOf = async (address, from) => {
  try {
    const { stdout } = await promisify(execFile)('ip', ['-j', 'route', 'get', address, 'from', from], { timeout: LIMIT_MS });
    const [route] = JSON.parse(stdout) as { readonly dev?: string }[];
    return route?.dev === undefined ? { unknown: 'it has no route' } : { device: route.dev };
  } catch (error) {
    const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
    return { unknown: code === 'ENOENT' ? 'the command ip (iproute2) is not installed' : stderr?.trim() || messageOf(error) };
  }
};

/** A refusal when what is sent to the address would not leave by this interface; undefined when it would. */
export async function otherRoute(
  routeOf: RouteOf,
  address: string,
  { device, from }: { readonly device: string; readonly from: string },
): Promise<RoadError | undefined> {
  const route = await routeOf(plainAddress(address), plainAddress(from));
  if ('device' in route && route.device === device) return undefined;
  const found =
    'device' in route
      ? `the route to ${address} from ${from} leaves by ${route.device}`
      : `the route to ${address} from ${from} is not known: ${route.unknown}`;
  return roadError('other-route', `The path's interface is ${device}, but ${found}. Nothing is sent; check it with: ip route get ${address} from ${from}`);
}
