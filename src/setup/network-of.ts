import { isIP } from 'node:net';

/** The network of an address with its length: `10.2.0.0/24` of `10.2.0.2/24`, `fd00:0:0:1:0:0:0:0/64` of `fd00:0:0:1::5/64`. */
export function networkOf(cidr: string): string {
  const [address = '', length = ''] = cidr.split('/');
  const isSix = isIP(address) === 6;
  const width = isSix ? 16 : 8;
  const parts = isSix ? groupsOf(address) : address.split('.').map(Number);
  const masked = parts.map((part, at) => {
    const kept = Math.min(width, Math.max(0, Number(length) - at * width));
    return part - (part % 2 ** (width - kept));
  });
  return `${masked.map((part) => part.toString(isSix ? 16 : 10)).join(isSix ? ':' : '.')}/${length}`;
}

// As a URL writes it an address has no dotted part any more, and at most one gap.
function groupsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [front, back] = [groups(head), groups(tail ?? '')];
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}
