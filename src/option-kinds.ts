import { isIP } from 'node:net';
import type { Kind } from './options.ts';
import { formatDuration, formatSize, readDuration, readSize } from './units.ts';

const MAX_TEXT_CHARS = 1024;
const MAX_LIST_ITEMS = 1024;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`, 'i');

/** Bounds as a file would write them, both allowed values. */
export interface Bounds {
  readonly from: string;
  readonly to: string;
}

/** Durations; gives milliseconds. */
export function duration(bounds: Bounds): Kind<number> {
  return amount({ name: 'duration', allowed: 'a duration such as 500ms, 8m or 1h30m', read: readDuration, write: formatDuration }, bounds);
}

/** Sizes; gives bytes. */
export function size(bounds: Bounds): Kind<number> {
  return amount({ name: 'size', allowed: 'a size such as 512MiB or 20GiB', read: readSize, write: formatSize }, bounds);
}

interface Unit {
  readonly name: string;
  readonly allowed: string;
  read(text: string): number | undefined;
  write(value: number): string;
}

function amount({ name, allowed, read, write }: Unit, bounds: Bounds): Kind<number> {
  const [least = 0, most = 0] = [read(bounds.from), read(bounds.to)];
  const range = `${bounds.from} to ${bounds.to}`;
  return {
    name,
    allowed: `${allowed}, from ${range}`,
    range,
    read(found) {
      const value = read(typeof found === 'number' || typeof found === 'string' ? String(found).trim() : '');
      return value !== undefined && value >= least && value <= most ? value : undefined;
    },
    fromText: (text) => text,
    write,
  };
}

/** Whole numbers between two bounds, both allowed. */
export function wholeNumber(least: number, most: number, name = 'whole number'): Kind<number> {
  const range = `${least} to ${most}`;
  return {
    name,
    allowed: `a whole number from ${range}`,
    range,
    read: (found) => (typeof found === 'number' && Number.isInteger(found) && found >= least && found <= most ? found : undefined),
    fromText: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
    write: (value) => value,
  };
}

/** TCP ports. */
export const port: Kind<number> = wholeNumber(1, 65_535, 'port');

/** TCP ports to listen on; 0 takes a free one. */
export const listeningPort: Kind<number> = wholeNumber(0, 65_535, 'port');

/** `true` or `false`. */
export const flag: Kind<boolean> = {
  name: 'flag',
  allowed: 'true or false',
  range: 'true, false',
  read: (found) => (typeof found === 'boolean' ? found : undefined),
  fromText: (text) => (text === 'true' || text === 'false' ? text === 'true' : text),
  write: (value) => value,
};

/** Text of 1 to 1,024 characters, none of them a control character, that `isGood` accepts. `what` says what is allowed, for messages. */
export function text(name: string, what: string, isGood: (value: string) => boolean = () => true): Kind<string> {
  return {
    name,
    allowed: what,
    range: '',
    read(found) {
      const value = typeof found === 'string' ? found.trim() : '';
      return value !== '' && value.length <= MAX_TEXT_CHARS && !/\p{Cc}/u.test(value) && isGood(value) ? value : undefined;
    },
    fromText: (value) => value,
    write: (value) => value,
  };
}

/** Paths of files and folders. Relative ones are resolved against the configuration file's folder; a leading `<data>` is the relay's data folder. */
export const path: Kind<string> = text('path', 'a path such as /etc/relay/workspace.key');

/** Paths of files that hold a secret. What looks like the secret itself (base64 with its padding, several lines) is refused and never shown. */
export const secretFile: Kind<string> = {
  ...text('path', 'the path of a file that holds the secret, never the secret itself', (value) => !value.endsWith('=')),
  hidden: true,
};

/** IP addresses to listen on. */
export const address: Kind<string> = text('address', 'an IP address such as 0.0.0.0, 127.0.0.1 or ::', (value) => isIP(value) !== 0);

/** Host names and IP addresses. */
export const host: Kind<string> = text('host', 'a host name or an IP address', (value) => isIP(value) !== 0 || HOST_NAME.test(value));

/** Host names, with a wildcard as their first label if need be, and IP addresses: what a certificate can hold. */
export const certificateName: Kind<string> = text(
  'name',
  'a DNS name such as relay.example.org or *.relay.example.org, or an IP address',
  (value) => isIP(value) !== 0 || HOST_NAME.test(value.replace(/^\*\./, '')),
);

/** DNS domains. */
export const domain: Kind<string> = text('domain', 'a DNS domain such as relay.example.org', (value) => HOST_NAME.test(value) && isIP(value) === 0);

/** DNS domains, with a port if it is not 443. */
export const domainAndPort: Kind<string> = text('domain', 'a DNS domain such as opinsights.azure.com or relay.example.org:8443', (value) => {
  const [name = '', portText, ...more] = value.split(':');
  return domain.read(name) !== undefined && (portText === undefined || port.read(port.fromText(portText)) !== undefined) && more.length === 0;
});

/** HTTPS addresses of a server: no user, path, query or fragment. Gives the origin. */
export const httpsAddress: Kind<string> = {
  ...text('https address', 'an https address such as https://relay.example.org:8443, nothing behind host and port'),
  read(found) {
    const url = typeof found === 'string' && found.length <= MAX_TEXT_CHARS ? URL.parse(found.trim()) : null;
    return url?.protocol === 'https:' && url.href === `${url.origin}/` ? url.origin : undefined;
  },
};

/** One of some words. */
export function oneOf<Word extends string>(words: readonly Word[]): Kind<Word> {
  const range = words.join(', ');
  return {
    name: 'choice',
    allowed: words.length === 1 ? range : `one of ${range}`,
    range,
    read: (found) => words.find((word) => word === found),
    fromText: (value) => value,
    write: (value) => value,
  };
}

/** A list of at most 1,024 values of one kind; its environment variable separates them by commas. */
export function list<T>(item: Kind<T>): Kind<readonly T[]> {
  return {
    name: `list of ${item.name}s`,
    allowed: `a list of at most ${MAX_LIST_ITEMS}, each ${item.allowed}`,
    range: item.range,
    read(found) {
      if (!Array.isArray(found) || found.length > MAX_LIST_ITEMS) return undefined;
      const values = found.map((each: unknown) => item.read(each));
      return values.every((value) => value !== undefined) ? values : undefined;
    },
    fromText: (value) => value.split(',').flatMap((each) => (each.trim() === '' ? [] : [item.fromText(each.trim())])),
    write: (values) => values.map((value) => item.write(value)),
    item,
  };
}
