/**
 * Who sends: by an access token, a password or an API key where the request has one, else by the certificate of its connection. Asked again at
 * every request, so that a suspension holds from the next one on.
 */
import type { Plugin, Request, ServerAuthScheme } from '@hapi/hapi';
import { readBasic } from '../basic-credentials.ts';
import { RelayError } from '../errors.ts';
import type { Agent } from '../management-group/agent.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import { type ClientCertificateOptions, mustBeApproved, mustBeKnown } from './client-certificate.ts';
import { headerOf } from './request-headers.ts';

const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;
const MAX_KEY_CHARACTERS = 512;

/** Attempts with bad credentials, by address. */
export interface BadCredentials {
  /** In how many seconds bad credentials of this address are told apart again; 0 when they are now. */
  waitS(address: string): number;
  failed(address: string): void;
}

export interface SenderSignInOptions {
  readonly group: Pick<ManagementGroup, 'registry' | 'senders' | 'senderTokens'>;
  readonly certificates: ClientCertificateOptions;
  readonly attempts: BadCredentials;
}

// Refuses before the body is read.
const senderScheme: ServerAuthScheme = (_server, given) => {
  const options = given as unknown as SenderSignInOptions;
  return {
    authenticate(request, h) {
      const agent = mustBeApproved(senderOf(request, options));
      options.group.registry.touch(agent);
      return h.authenticated({ credentials: { agent } });
    },
  };
};

/** Makes the strategy `sender` known to the listener. */
export const senderSignInPlugin: Plugin<SenderSignInOptions> = {
  name: 'sender-sign-in',
  register(server, options) {
    server.auth.scheme('sender', senderScheme);
    server.auth.strategy('sender', 'sender', options);
  },
};

function senderOf(request: Request, options: SenderSignInOptions): Agent {
  const authorization = headerOf(request, 'authorization');
  const apiKey = headerOf(request, 'x-api-key');
  if (authorization === undefined && apiKey === undefined) return byCertificate(request, options);
  const found = authorization === undefined ? byApiKey(apiKey ?? '', options) : byAuthorization(authorization, options);
  if (found instanceof RelayError) throw refusedBy(request, options.attempts, found);
  return found;
}

/**
 * Counts bad credentials, and gives what is to be thrown for them: `refusal`, or `relay.enrolment.too-many-attempts` once the address has brought
 * too many. Good ones are always taken: many senders may share an address, and one that is configured wrongly must not shut the others out.
 */
export function refusedBy({ info: { remoteAddress } }: Request, attempts: BadCredentials, refusal: RelayError): RelayError {
  const waitS = attempts.waitS(remoteAddress);
  attempts.failed(remoteAddress);
  if (waitS === 0) return refusal;
  return new RelayError('relay.enrolment.too-many-attempts', `Too many bad credentials came from ${remoteAddress}. Wait ${waitS} seconds.`, {
    retryAfterS: waitS,
  });
}

function byCertificate(request: Request, { certificates }: SenderSignInOptions): Agent {
  try {
    return mustBeKnown(request, certificates);
  } catch (error) {
    if (!(error instanceof RelayError) || error.code !== 'relay.agent.no-certificate') throw error;
    throw new RelayError(
      'relay.sender.no-credentials',
      'The request has no token, password or API key, and its connection no client certificate. An operator of the relay makes a sender with: relay senders create',
    );
  }
}

function byAuthorization(authorization: string, { group }: SenderSignInOptions): Agent | RelayError {
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) {
    const checked = group.senderTokens.check(token);
    return checked.valid ? checked.agent : new RelayError('relay.sender.bad-token', checked.reason);
  }
  const basic = readBasic(authorization);
  return (basic && group.senders.identify(basic.name, basic.password)?.agent) ?? badCredentials(basic ? 'name and password' : 'the Authorization header');
}

function byApiKey(key: string, { group }: SenderSignInOptions): Agent | RelayError {
  const known = key.length > MAX_KEY_CHARACTERS ? undefined : group.senders.identifyBySecret(key);
  return known?.agent ?? badCredentials('X-Api-Key');
}

function badCredentials(what: string): RelayError {
  return new RelayError('relay.sender.bad-credentials', `No sender has what ${what} brought. An operator of the relay lists them with: relay senders list`);
}
