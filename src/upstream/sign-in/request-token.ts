import type { AccessToken, TokenCredential } from '@azure/identity';
import { type Clock, systemClock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { SignInOptions } from '../../workspace/sign-in-options.ts';
import type { Road } from '../path/road.ts';
import { inAttempt, libraryClient, type Seen } from './attempt.ts';
import { CLOUDS } from './clouds.ts';
import type { Credential } from './credential.ts';
import { explain, type Failed } from './explain.ts';

/** A try takes no longer, however slowly the service answers. */
export const LONGEST_TRY_MS = 30_000;

export interface RequestParts {
  readonly road: Road | undefined;
  readonly clock: Clock;
  /** Where the options stand in the configuration. */
  readonly section: string;
  /** Ends the try. */
  readonly signal: AbortSignal;
}

/** A token with what is left of its life, or why there is none. */
export type TokenResult = { readonly outcome: 'token'; readonly token: string; readonly lifeMs: number } | Failed;

/** Asks the sign-in service for a token, once: no second try, no redirect, no connection but by the operator's road. Never rejects. */
export async function requestToken(options: SignInOptions, credential: Credential, { road, clock, section, signal }: RequestParts): Promise<TokenResult> {
  const seen: Seen = {};
  const deadline = new AbortController();
  const cancel = clock.after(LONGEST_TRY_MS, () => deadline.abort(new Error(`no answer within ${LONGEST_TRY_MS / 1_000} s`)));
  const ending = AbortSignal.any([signal, deadline.signal]);
  try {
    const isLocal = credential.method === 'managed-identity';
    const asked = inAttempt({ road, trustFile: options.trustFile, isLocal, signal: ending }, seen, async () => {
      const client = await createCredential(options, credential);
      return await client.getToken(`${CLOUDS[options.cloud].audience}/.default`);
    });
    const found = await Promise.race([asked, ended(ending)]);
    return tokenOf(found) ?? explain(options, seen, section);
  } catch {
    if (ending.aborted) seen.failure = messageOf(ending.reason);
    return explain(options, seen, section);
  } finally {
    cancel();
  }
}

// The library is large and slow to load: only relays that need it pay for it. A client for each try: it would answer from its own memory.
async function createCredential(options: SignInOptions, credential: Credential): Promise<TokenCredential> {
  const { ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential } = await import('@azure/identity');
  const { tenantId = '', clientId = '', cloud, authority = CLOUDS[cloud].authority } = options;
  const way = { httpClient: libraryClient, retryOptions: { maxRetries: 0 }, redirectOptions: { maxRetries: 0 } };
  // Known by the configuration: nobody else is asked whether it is an authority.
  const client = { ...way, authorityHost: authority, disableInstanceDiscovery: true };
  switch (credential.method) {
    case 'client-secret':
      return new ClientSecretCredential(tenantId, clientId, credential.secret, client);
    case 'client-certificate':
      return new ClientCertificateCredential(tenantId, clientId, { certificate: credential.pem }, client);
    case 'managed-identity':
      return clientId === '' ? new ManagedIdentityCredential(way) : new ManagedIdentityCredential({ ...way, clientId });
  }
}

// The library reckons the end by the machine's clock; what is left of it is true by any clock.
function tokenOf(found: AccessToken | null): TokenResult | undefined {
  const lifeMs = (found?.expiresOnTimestamp ?? 0) - systemClock.now();
  return found?.token && Number.isFinite(lifeMs) && lifeMs > 0 ? { outcome: 'token', token: found.token, lifeMs } : undefined;
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}
