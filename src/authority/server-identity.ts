import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { readSecretFile } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { Identity } from './agent-identity.ts';
import { type Authority, renewalDue } from './authority.ts';
import type { AuthorityOptions } from './options.ts';

const DAY_MS = 86_400_000;
const CHECK_EVERY_MS = 3_600_000;

export interface ServerIdentityParts {
  readonly options: AuthorityOptions;
  /** The relay's own DNS domain. */
  readonly domain: string;
  readonly authority: Authority;
  /** Further names that may change; the listener is told when they have. */
  readonly names?: { list(): readonly string[]; onChange(listener: () => void): () => void };
  /** Whether it is for this relay to bring in the next root when its time has come; it is unless given. */
  readonly mayKeepUp?: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The certificate and key by which agents know the relay. */
export interface ServerIdentity {
  current(): Identity;
  /** When it ends, in milliseconds since 1970. */
  endsAt(): number;
  /** Looks once an hour, and when the roots change, whether it must be renewed, or the operator's files have changed; tells of a new one. The function returned ends that. */
  watch(onRenewed: (identity: Identity) => void): () => void;
}

/** Takes the operator's certificate if one is configured, and the authority's own otherwise. */
export async function createServerIdentity(parts: ServerIdentityParts): Promise<ServerIdentity> {
  const { authority, clock, log } = parts;
  let identity = await readOrIssue(parts);

  const listeners = new Set<(identity: Identity) => void>();
  // One after the other: two at once would write one's certificate and the other's key.
  let last: Promise<void> = Promise.resolve();
  const renew = (): Promise<void> => {
    last = last.then(renewNow);
    return last;
  };

  const renewNow = async (): Promise<void> => {
    try {
      const next = await readOrIssue(parts);
      if (next.certificate === identity.certificate) return;
      identity = next;
      for (const onRenewed of listeners) onRenewed(next);
      log.info({ endsAt: new Date(endOf(next)).toISOString() }, "the server's certificate was renewed");
    } catch (error) {
      log.error({ reason: messageOf(error) }, "the server's certificate could not be renewed; it is tried again in an hour");
    }
  };

  return {
    current: () => identity,
    endsAt: () => endOf(identity),
    watch(onRenewed) {
      const look = async (): Promise<void> => {
        await keepUp(parts);
        await renew();
      };
      listeners.add(onRenewed);
      const stopLooking = every(clock, CHECK_EVERY_MS, look);
      const stopListening = authority.onChange(() => void renew());
      const stopListeningToNames = parts.names?.onChange(() => void renew());
      return () => {
        listeners.delete(onRenewed);
        stopLooking();
        stopListening();
        stopListeningToNames?.();
      };
    },
  };
}

async function keepUp({ authority, mayKeepUp = () => true, log }: ServerIdentityParts): Promise<void> {
  if (!mayKeepUp()) return;
  try {
    await authority.keepUp();
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'the change from one root to the next could not be written; it is tried again in an hour');
  }
}

async function readOrIssue(parts: ServerIdentityParts): Promise<Identity> {
  const { serverCertificateFile, serverKeyFile } = parts.options;
  return serverCertificateFile !== undefined && serverKeyFile !== undefined ? await readOwn(serverCertificateFile, serverKeyFile, parts) : await issue(parts);
}

async function readOwn(certificateFile: string, keyFile: string, { clock, log }: ServerIdentityParts): Promise<Identity> {
  const certificate = await readFile(certificateFile, 'utf8');
  const privateKey = await readSecretFile(keyFile, (message) => log.warn(message));
  if (clock.now() > renewalDue(new X509Certificate(certificate)))
    log.warn({ certificateFile }, 'your server certificate is past two thirds of its life; renew it');
  return { certificate, privateKey };
}

// The roots go with it, so that an agent that was given a fingerprint can learn its root, and one that trusts the root before can follow.
async function issue({ options, domain, authority, names: further }: ServerIdentityParts): Promise<Identity> {
  const names = [
    ...new Set([domain, `*.oms.${domain}`, `*.ods.${domain}`, hostname(), 'localhost', '127.0.0.1', ...options.serverNames, ...(further?.list() ?? [])]),
  ];
  const identity = await authority.serverIdentity(names, options.serverCertificateLife / DAY_MS);
  return { certificate: identity.certificate + authority.chain(), privateKey: identity.privateKey };
}

function endOf(identity: Identity): number {
  return new X509Certificate(identity.certificate).validToDate.getTime();
}
