/** Slows down who tries wrong tokens: counted by address and minute. A good token is never asked how many wrong ones came before it. */
import { isIPv6 } from 'node:net';

const MOST = 20;
const MINUTE_MS = 60_000;
const MAX_ADDRESSES = 10_000;

/** `count`: how many came from there in this minute. `isLast`: the next one is limited. `isFirst`: none before it was, in this minute. */
export type BadTokenNote =
  | { readonly limited: false; readonly count: number; readonly isLast: boolean }
  | { readonly limited: true; readonly isFirst: boolean; readonly retryAfterS: number };

export interface BadTokens {
  /** Counts a wrong token. From the 21st of an address in a minute on it is limited. */
  note(from: string, now: number): BadTokenNote;
}

export function createBadTokens(): BadTokens {
  const minutes = new Map<string, { readonly began: number; count: number }>();

  const minuteOf = (key: string, now: number): { readonly began: number; count: number } => {
    const found = minutes.get(key);
    // A clock that was set back must not keep a minute open.
    if (found && now >= found.began && now < found.began + MINUTE_MS) return found;
    minutes.delete(key);
    const [oldest] = minutes.keys();
    if (minutes.size >= MAX_ADDRESSES && oldest !== undefined) minutes.delete(oldest);
    const begun = { began: now, count: 0 };
    minutes.set(key, begun);
    return begun;
  };

  return {
    note(from, now) {
      const minute = minuteOf(placeOf(from), now);
      minute.count += 1;
      const { began, count } = minute;
      if (count <= MOST) return { limited: false, count, isLast: count === MOST };
      return { limited: true, isFirst: count === MOST + 1, retryAfterS: Math.ceil((began + MINUTE_MS - now) / 1_000) };
    },
  };
}

/** What counts as one address: an IPv4 address, also when it is written as IPv6, or the 64-bit prefix that one IPv6 host usually has for itself. */
export function placeOf(address: string): string {
  const text = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)?.[1];
  if (mapped !== undefined || !isIPv6(text)) return mapped ?? text;
  const [head = '', tail] = text.split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = tail?.split(':').filter((group) => group !== '') ?? [];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
