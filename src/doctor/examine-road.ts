import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { getCACertificates } from 'node:tls';
import { messageOf } from '../errors.ts';
import { isExcepted } from '../upstream/path/judge.ts';
import { sourceOf } from '../upstream/path/source-address.ts';
import type { PathOptions } from '../workspace/path-options.ts';
import { good, type Notes, wrong } from './finding.ts';
import type { Probes, ProxyWanted } from './probes.ts';
import { judgeClock, judgeConnect, judgeName, judgeProxy, judgeSource, judgeTls, type Towards } from './road-rules.ts';
import type { Failed } from './within.ts';

/** A service and the road to it. */
export interface Destination {
  /** Such as `data` or `sign-in`: the first word of its steps. */
  readonly label: string;
  /** An https address. */
  readonly url: string;
  readonly path: PathOptions;
  /** The option that holds the path. */
  readonly option: 'path' | 'signInPath';
  /** PEM file of the authorities to trust. */
  readonly trustFile: string | undefined;
}

export interface ExamineParts {
  readonly probes: Probes;
  readonly limitMs: number;
  readonly now: () => number;
}

/** Goes the road step by step, as data would, and ends at the first that is wrong. True when it came to the end. Nothing is connected to that the path forbids. */
export async function examineRoad(destination: Destination, notes: Notes, parts: ExamineParts): Promise<boolean> {
  const { probes, limitMs, now } = parts;
  const { label, path, option } = destination;
  const { hostname, port } = new URL(destination.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const service: Towards = { host, port: Number(port || 443), path, option };
  const proxied = goesByProxy(host, path);
  const first: Towards = proxied ? { ...service, host: path.proxy.host ?? '', port: path.proxy.port } : { ...service, path: withoutProxy(path) };

  const trust = await notes.step(`${label}: trust`, () => readTrust([destination.trustFile, proxied ? path.proxy.trustFile : undefined]), judgeTrust);
  if (!trust.isGood) return false;
  const name = await notes.step(
    `${label}: name`,
    () => probes.name(first.host, proxied ? plain(path) : path, limitMs),
    (facts) => judgeName(first, facts),
  );
  if (!name.isGood || name.facts.outcome !== 'done') return false;
  const source = sourceOf(path, networkInterfaces);
  const wanted = { addresses: name.facts.value.addresses, port: first.port, source: source.found ? source.address : nothing };
  const route = await notes.step(
    `${label}: route`,
    async () => (source.found ? await probes.source(wanted, limitMs) : noSource(source.message)),
    (facts) => judgeSource(first, facts),
  );
  if (!route.isGood) return false;
  const tcp = await notes.step(
    `${label}: ${proxied ? 'proxy' : 'connection'}`,
    () => probes.connect(wanted, limitMs),
    (facts) => judgeConnect(first, facts),
  );
  if (tcp.facts.outcome !== 'done') return false;
  using socket = closing(tcp.facts.value);

  if (proxied) {
    const through = await notes.step(
      `${label}: through the proxy`,
      async () => probes.proxy(socket.socket, { authority: `${hostname}:${service.port}`, credentials: await credentialsOf(path) }, limitMs),
      (facts) => judgeProxy(service, facts),
    );
    if (!through.isGood) return false;
  }
  const tls = await notes.step(
    `${label}: tls`,
    () => probes.tls(socket.socket, { host, trust: trust.facts.authorities }, limitMs),
    (facts) => judgeTls(host, facts, now()),
  );
  if (tls.facts.outcome !== 'done') return false;
  const { socket: secure } = tls.facts.value;
  // Asked also where the certificate is refused: a wrong clock is one reason for that, and nothing secret is said.
  const clock = await notes.step(`${label}: clock`, () => probes.clock(secure, host, limitMs), judgeClock);
  return tls.isGood && clock.isGood;
}

interface Trust {
  readonly authorities: readonly string[];
  readonly fault?: string;
}

async function readTrust([file, proxyFile]: readonly (string | undefined)[]): Promise<Trust> {
  try {
    const own = file === undefined ? systemAuthorities() : [await readFile(file, 'utf8')];
    return { authorities: proxyFile === undefined ? own : [...own, await readFile(proxyFile, 'utf8')] };
  } catch (error) {
    return { authorities: [], fault: messageOf(error) };
  }
}

function judgeTrust({ authorities, fault }: Trust): ReturnType<typeof good> {
  if (fault !== undefined) return wrong(`a file of authorities cannot be read: ${fault}`, 'Correct trustFile, or let the relay’s user read it.');
  return good(authorities.length > 2 ? 'the authorities of this machine' : 'the authorities of trustFile');
}

function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('bundled'), ...getCACertificates('system')])];
}

async function credentialsOf({ proxy }: PathOptions): Promise<ProxyWanted['credentials']> {
  if (proxy.user === undefined) return undefined;
  const password = proxy.passwordFile === undefined ? '' : await readFile(proxy.passwordFile, 'utf8').catch(() => '');
  return `${proxy.user}:${password.trimEnd()}`;
}

function goesByProxy(host: string, { kind, proxy }: PathOptions): boolean {
  return kind === 'proxy' && proxy.host !== undefined && !isExcepted(host, proxy.except);
}

const nothing = (): undefined => undefined;

function noSource(reason: string): Failed {
  return { outcome: 'failed', code: 'EADDRNOTAVAIL', reason };
}

// The proxy's own name has nothing to do with the addresses of the service.
function plain(path: PathOptions): PathOptions {
  return { ...path, addresses: [], peers: [] };
}

function withoutProxy(path: PathOptions): PathOptions {
  return path.kind === 'proxy' ? { ...path, kind: 'public' } : path;
}

function closing(socket: Socket): Disposable & { readonly socket: Socket } {
  return { socket, [Symbol.dispose]: () => void socket.destroy() };
}
