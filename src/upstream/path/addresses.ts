import { BlockList, isIP } from 'node:net';

/** RFC 1918 and RFC 4193: what a private endpoint has. */
const PRIVATE_NETWORKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'] as const;

/** Whether an address lies in one of some prefixes. */
export type Contains = (address: string) => boolean;

/** Reads prefixes (CIDR) and single addresses, which were checked before. */
export function prefixes(list: readonly string[]): Contains {
  const blocks = new BlockList();
  for (const prefix of list) {
    const [start = '', length] = prefix.split('/');
    const family = isIP(start) === 6 ? 'ipv6' : 'ipv4';
    if (length === undefined) blocks.addAddress(start, family);
    else blocks.addSubnet(start, Number(length), family);
  }
  return (address) => {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && blocks.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  };
}

/** Whether an address is a private network's (RFC 1918, RFC 4193). */
export const isPrivate: Contains = prefixes(PRIVATE_NETWORKS);

/** One spelling for an address: no zone, IPv4 not dressed as IPv6, IPv6 in its shortest form. */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%');
  if (isIP(bare) !== 6) return bare;
  const short = URL.parse(`https://[${bare}]`)?.hostname.slice(1, -1) ?? bare;
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  return [high, low].flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 0xff]).join('.');
}
