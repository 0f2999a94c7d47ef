import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { HttpClient, Reached } from '../http-client.ts';
import { createTurns } from '../turns.ts';
import { judge, type Outcome, retry } from './answers.ts';
import type { Budget } from './budget.ts';
import { MAX_REQUEST_BYTES } from './limits.ts';

const API_VERSION = '2023-01-01';

/** Who the relay is to the service. */
export interface Tokens {
  token(): Promise<{ readonly outcome: 'token'; readonly token: string } | { readonly outcome: 'none'; readonly reason: string }>;
  /** The token was answered with 401: the next one is a new one. */
  refused(): void;
}

export interface SenderParts {
  /** Without a final slash. */
  readonly endpoint: string;
  readonly ruleId: string;
  readonly userAgent: string;
  readonly client: Pick<HttpClient, 'post'>;
  readonly tokens: Tokens;
  readonly budget: Budget;
  /** Requests on their way at the same time. */
  readonly connections: number;
  readonly clock: Clock;
  /** Told of each request, what became of it, and which part of the largest size it had. */
  readonly onRequest: (request: { readonly outcome: string; readonly fill: number }) => void;
}

export interface Request {
  readonly stream: string;
  readonly body: Buffer;
  readonly encoding: 'gzip' | 'identity';
  /** Bytes of the body once inflated. */
  readonly rawBytes: number;
}

/** Sends requests and says what became of each. Never throws for what upstream does. */
export type Sender = (request: Request, signal: AbortSignal) => Promise<Outcome>;

export function createSender(parts: SenderParts): Sender {
  const { client, tokens, budget, clock } = parts;
  const inTurn = createTurns(parts.connections);

  const post = async (request: Request, signal: AbortSignal): Promise<Reached | { readonly reached: false; readonly reason: string }> => {
    const token = await tokens.token();
    if (token.outcome === 'none') return { reached: false, reason: `no token to sign in with: ${token.reason}` };
    const headers: Record<string, string> = {
      authorization: `Bearer ${token.token}`,
      'content-type': 'application/json',
      'user-agent': parts.userAgent,
      'x-ms-client-request-id': randomUUID(),
    };
    if (request.encoding === 'gzip') headers['content-encoding'] = 'gzip';
    return await client.post(urlOf(parts, request.stream), headers, request.body, signal);
  };

  const send = async (request: Request, signal: AbortSignal): Promise<Outcome> => {
    await pause(clock, budget.take(clock.now(), request.rawBytes), signal);
    if (signal.aborted) return retry('workspace', 'the relay is stopping');
    let reached = await post(request, signal);
    if (reached.reached && reached.answer.status === 401) {
      tokens.refused();
      reached = await post(request, signal);
    }
    return reached.reached ? judge(reached.answer, request.stream, clock.now()) : retry('workspace', reached.reason);
  };

  return async (request, signal) => {
    const outcome = await inTurn(() => send(request, signal));
    parts.onRequest({ outcome: outcome.outcome, fill: request.body.length / MAX_REQUEST_BYTES });
    return outcome;
  };
}

function urlOf({ endpoint, ruleId }: SenderParts, stream: string): string {
  return `${endpoint}/dataCollectionRules/${ruleId}/streams/${encodeURIComponent(stream)}?api-version=${API_VERSION}`;
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const cancel = clock.after(ms, over.resolve);
  const onAbort = (): void => over.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await over.promise;
  cancel();
  signal.removeEventListener('abort', onAbort);
}
