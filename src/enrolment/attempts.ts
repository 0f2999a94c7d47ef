/**
 * Attempts to enrol by address: after so many in a minute, or after a few with bad credentials, an address is not listened to until the
 * minute is over, whether what it brings is right or wrong. Memory is bounded: past the limit the address that was quiet the longest is forgotten.
 */
import { isIP } from 'node:net';

const MINUTE_MS = 60_000;
const MAX_ADDRESSES = 10_000;

export interface AttemptsParts {
  readonly now: () => number;
  /** Attempts that an address may make in a minute, good and bad. */
  readonly perMinute: number;
  /** How many of them may have bad credentials. */
  readonly badPerMinute: number;
  readonly maxAddresses?: number;
}

export interface Attempts {
  /** Counts an attempt, and says in how many seconds this address is listened to again; 0 when it is now. */
  begin(address: string): number;
  /** In how many seconds this address is listened to again, for its bad credentials alone, without counting an attempt; 0 when it is now. */
  waitS(address: string): number;
  /** Notes that the attempt brought bad credentials. */
  failed(address: string): void;
  /** Addresses that are remembered. */
  size(): number;
}

interface Minute {
  readonly beganAt: number;
  readonly attempts: number;
  readonly failures: number;
}

export function createAttempts({ now, perMinute, badPerMinute, maxAddresses = MAX_ADDRESSES }: AttemptsParts): Attempts {
  // The order of a Map is the order of insertion: the first is the one that was quiet the longest.
  const minutes = new Map<string, Minute>();

  const minuteOf = (key: string): Minute => {
    const minute = minutes.get(key);
    const age = minute ? now() - minute.beganAt : MINUTE_MS;
    // A clock that was set back must not shut anybody out for longer than a minute.
    return minute && age >= 0 && age < MINUTE_MS ? minute : { beganAt: now(), attempts: 0, failures: 0 };
  };
  const secondsLeft = ({ beganAt }: Minute): number => Math.max(1, Math.ceil((beganAt + MINUTE_MS - now()) / 1000));
  const keep = (key: string, minute: Minute): void => {
    minutes.delete(key);
    minutes.set(key, minute);
    for (const quiet of minutes.keys()) {
      if (minutes.size <= maxAddresses) break;
      minutes.delete(quiet);
    }
  };

  return {
    begin(address) {
      const key = networkOf(address);
      const minute = minuteOf(key);
      if (minute.attempts < perMinute && minute.failures < badPerMinute) {
        keep(key, { ...minute, attempts: minute.attempts + 1 });
        return 0;
      }
      return secondsLeft(minute);
    },
    waitS(address) {
      const minute = minuteOf(networkOf(address));
      return minute.failures < badPerMinute ? 0 : secondsLeft(minute);
    },
    failed(address) {
      const key = networkOf(address);
      const minute = minuteOf(key);
      keep(key, { ...minute, failures: minute.failures + 1 });
    },
    size: () => minutes.size,
  };
}

/** What counts as one address: an IPv4 address, also within IPv6, or an IPv6 network of 64 bits, of which one machine has all the addresses. */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? front : [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
