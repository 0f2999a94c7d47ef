/** What the facts of each step towards a service mean, and what to do. Pure. */

import { isPrivate, prefixes } from '../upstream/path/addresses.ts';
import { judgeAddresses } from '../upstream/path/judge.ts';
import type { PathOptions } from '../workspace/path-options.ts';
import type { ResolvedHost } from '../workspace/road-state.ts';
import { attention, good, type Judgement, skipped, wrong } from './finding.ts';
import type { ClockFacts, ProxyAnswer, TlsFacts } from './probes.ts';
import { type Outcome, why } from './within.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;
/** Sign-in services refuse what is further off. */
const CLOCK_WRONG_MS = 300_000;
const CLOCK_ATTENTION_MS = 30_000;
const isOwn = prefixes(['127.0.0.0/8', '::1']);

/** Whom a step is towards, for its words. */
export interface Towards {
  readonly host: string;
  readonly port: number;
  readonly path: PathOptions;
  /** The option that holds the path: `path` or `signInPath`. */
  readonly option: string;
}

export function judgeName({ host, path, option }: Towards, facts: Outcome<ResolvedHost>): Judgement {
  if (facts.outcome !== 'done') {
    const asked = path.nameServers.length > 0 ? path.nameServers.join(', ') : 'the system’s resolver';
    return wrong(
      `${host} does not resolve: ${asked}: ${why(facts)}`,
      `Check the spelling of the address, and that ${asked} can resolve it: for a private endpoint it must forward the public zone to the virtual network. Or give the service’s addresses in ${option}.addresses.`,
    );
  }
  const resolved = facts.value;
  const judgement = judgeAddresses(path, resolved);
  const shown = [host, ...resolved.chain].join(' → ');
  if (judgement.allowed) return good(`${shown} is ${resolved.addresses.map(withKind).join(', ')}${saidBy(resolved)}`);
  const remedy =
    path.kind === 'private-link'
      ? `Have the site’s name server forward the public zone of ${host} to a resolver in the virtual network (not the privatelink zone), or give one that does in ${option}.nameServers. If the address is yours, add its prefix to ${option}.peers.`
      : `Add the prefixes announced over the circuit to ${option}.peers, or correct what ${host} resolves to.`;
  return wrong(
    `${shown} is ${resolved.addresses.map(withKind).join(', ')}${saidBy(resolved)}, which the path ${path.kind} does not allow: nothing is sent`,
    remedy,
  );
}

function saidBy({ by }: ResolvedHost): string {
  if (by === 'literal') return '';
  return `, said by the ${by === 'system' ? 'system’s resolver' : by}`;
}

function withKind(address: string): string {
  return `${address} (${isPrivate(address) ? 'private' : isOwn(address) ? 'this machine' : 'public'})`;
}

export function judgeSource({ path, option }: Towards, facts: Outcome<string>): Judgement {
  if (facts.outcome === 'done') return good(`the kernel sends from ${facts.value}${path.kind === 'public' ? '' : ` (${path.kind})`}`);
  const isForeign = facts.outcome === 'failed' && facts.code === 'EADDRNOTAVAIL';
  return wrong(
    `there is no route: ${why(facts)}`,
    isForeign
      ? `${path.sourceAddress ?? 'The address'} is not an address of this machine. Correct ${option}.sourceAddress, or give the machine that address.`
      : `Add a route, or a default gateway (ip route), and check that the interface is up.`,
  );
}

export function judgeConnect({ host, port, path, option }: Towards, facts: Outcome<unknown>): Judgement {
  const isProxy = path.kind === 'proxy';
  if (facts.outcome === 'done') return good(`${isProxy ? 'the proxy at ' : ''}${host}:${port} takes connections`);
  const what = `${isProxy ? 'the proxy at ' : ''}${host}:${port} cannot be reached: ${why(facts)}`;
  if (facts.outcome === 'late')
    return wrong(
      what,
      'What is sent is swallowed: a firewall drops it, or the way back is missing. Have TCP to this address and port allowed, and check the route (ip route get).',
    );
  if (facts.code === 'ECONNREFUSED')
    return wrong(
      what,
      isProxy ? `Nothing listens there. Correct ${option}.proxy, or start the proxy.` : 'Nothing listens there, or a firewall refuses. Check address and port.',
    );
  return wrong(what, 'Check the route to it (ip route get), and the firewalls on the way.');
}

export function judgeProxy({ option, path }: Towards, facts: Outcome<ProxyAnswer>): Judgement {
  if (facts.outcome !== 'done')
    return wrong(`the proxy gave no answer to CONNECT: ${why(facts)}`, `Check that ${option}.proxy names an HTTP proxy that allows CONNECT.`);
  const { status } = facts.value;
  if (status >= 200 && status < 300) return good(`the proxy lets it through (${status})`);
  if (status === 407)
    return wrong(
      `the proxy refuses: 407, ${path.proxy.user === undefined ? 'it wants a user, and none is configured' : 'wrong user or password'}`,
      `Give ${option}.proxy.user, and its password in the file ${option}.proxy.passwordFile. Basic sign-in is what is spoken; a proxy that knows only NTLM or Kerberos needs an exception for this machine.`,
    );
  return wrong(`the proxy refuses: ${status}`, 'Have the proxy’s administrator allow CONNECT to this host and port.');
}

const CHAIN_FAULTS = ['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'];

export function judgeTls(host: string, facts: Outcome<TlsFacts>, now: number): Judgement {
  if (facts.outcome !== 'done')
    return wrong(
      `no TLS with ${host}: ${why(facts)}`,
      'Check that address and port belong to an https service with TLS 1.2 or 1.3, and that no device on the way ends TLS.',
    );
  const { protocol, fault, chain, names, beginsAt, endsAt } = facts.value;
  const shown = `${protocol}, ${chain.join(' ← ')}, until ${dayOf(endsAt)}`;
  if (fault === 'CERT_HAS_EXPIRED')
    return wrong(
      `the certificate of ${host} expired on ${dayOf(endsAt)} (${shown})`,
      `Have its operator renew it. If it is valid elsewhere, this machine’s clock is wrong: it says ${new Date(now).toISOString()}.`,
    );
  if (fault === 'CERT_NOT_YET_VALID')
    return wrong(`the certificate of ${host} begins only on ${dayOf(beginsAt)}`, `Set this machine’s clock: it says ${new Date(now).toISOString()}.`);
  if (fault === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return wrong(
      `the certificate is not for ${host}; it is for ${names || chain[0] || 'no name'}`,
      'The name leads to another server, or the address in the configuration is not the name of the service. Correct the address, or what it resolves to.',
    );
  if (fault !== undefined && CHAIN_FAULTS.includes(fault))
    return wrong(
      `the certificate of ${host} is signed by ${chain.at(-1) ?? 'nobody'}, which is not trusted (${fault})`,
      'If a device of yours looks into TLS, take this host out of it, or give its authority in trustFile (or proxy.trustFile). If it is a local workspace or a relay, give its root certificate in trustFile.',
    );
  if (fault !== undefined) return wrong(`the certificate of ${host} is not trusted: ${fault}`, 'Check trustFile and the certificate of the service.');
  if (endsAt - now < SOON_MS) return attention(`${shown}: it ends soon`, `The certificate of ${host} must be renewed by its operator before ${dayOf(endsAt)}.`);
  return good(shown);
}

export function judgeClock(facts: Outcome<ClockFacts>): Judgement {
  if (facts.outcome !== 'done')
    return wrong(
      `it took the connection but gave no answer by HTTP: ${why(facts)}`,
      'Check that this is the address of the service, and not of something before it.',
    );
  const { offsetMs, status } = facts.value;
  if (offsetMs === undefined) return skipped(`the answer (${status}) bears no date`);
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  const shown = `this machine’s clock is ${seconds} s ${offsetMs > 0 ? 'behind' : 'ahead of'} the service’s`;
  const remedy = 'Start a time service (chrony or systemd-timesyncd) with a server that this site reaches, and check it with timedatectl.';
  if (Math.abs(offsetMs) >= CLOCK_WRONG_MS) return wrong(`${shown}: signing in fails, and records bear wrong times`, remedy);
  return Math.abs(offsetMs) >= CLOCK_ATTENTION_MS ? attention(shown, remedy) : good('this machine’s clock and the service’s agree');
}

/** The day of a moment: `2026-11-23`. */
export function dayOf(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 10) : 'unknown';
}
