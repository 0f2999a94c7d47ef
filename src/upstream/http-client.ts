/** HTTPS out, with a bound on every wait and size. One pool of kept connections for each origin. */
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Agent, type buildConnector } from 'undici';
import type { Identity } from '../authority/agent-identity.ts';
import { messageOf } from '../errors.ts';
import type { Answer } from './classify.ts';
import { createConnector } from './path/connector.ts';
import type { Road } from './path/road.ts';

/** Of an answer's body, so much is read. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface HttpClientSettings {
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** PEM of the authorities to trust; the operating system's and Node's when undefined. */
  readonly trust: string | undefined;
  /** The only road its connections take; the system's own way when undefined. */
  readonly road?: Road | undefined;
  /** Told of each request that was sent, once it is over. */
  readonly onExchange?: ((exchange: Exchange) => void) | undefined;
}

/** A request as it went, for whoever watches. */
export interface Exchange {
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  /** From the beginning of the request to the end of the answer. */
  readonly seconds: number;
  /** The answer's Date. */
  readonly date?: string | undefined;
}

export interface HttpClient {
  /** Uses a client certificate from the next connection on. */
  useIdentity(identity: Identity): void;
  post(url: string, headers: Readonly<Record<string, string>>, body: Buffer | string, signal?: AbortSignal): Promise<Reached>;
  close(): Promise<void>;
}

/** Either upstream answered, or it was not reached and this says why. */
export type Reached = { readonly reached: true; readonly answer: Answer } | { readonly reached: false; readonly reason: string };

export function createHttpClient(settings: HttpClientSettings): HttpClient {
  let agent = createAgent(settings);

  return {
    useIdentity(identity) {
      const before = agent;
      agent = createAgent(settings, identity);
      // It was closed already when the client itself was.
      before.close().catch(() => {});
    },
    async post(url, headers, body, signal) {
      const controller = new AbortController();
      const timer = setTimeout(
        () => controller.abort(new DOMException('no answer in time', 'TimeoutError')),
        settings.connectTimeoutMs + settings.requestTimeoutMs,
      );
      const onAbort = (): void => controller.abort(signal?.reason);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      const begin = performance.now();
      const note = (status?: number, date?: string): void => settings.onExchange?.({ status, date, seconds: (performance.now() - begin) / 1000 });
      try {
        const { origin, pathname, search } = new URL(url);
        const response = await agent.request({
          origin,
          path: pathname + search,
          method: 'POST',
          headers,
          body,
          signal: controller.signal,
        });
        const text = await readStart(response.body);
        note(response.statusCode, oneOf(response.headers['date']));
        return { reached: true, answer: { status: response.statusCode, retryAfter: oneOf(response.headers['retry-after']), text } };
      } catch (error) {
        note();
        return { reached: false, reason: reasonOf(error) };
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      }
    },
    async close() {
      await agent.destroy();
    },
  };
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** How undici connects by a road to a service that is verified by `trust`, for whoever has a client of its own. */
export function connectorBy(road: Road, { trust, timeoutMs }: { readonly trust: string | undefined; readonly timeoutMs: number }): buildConnector.connector {
  return createConnector(road, { secureContext: contextOf({ trust, road }, undefined), timeoutMs });
}

function contextOf({ trust, road }: Pick<HttpClientSettings, 'trust' | 'road'>, identity: Identity | undefined): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ca: [...(trust === undefined ? systemAuthorities() : [trust]), ...(road?.trust === undefined ? [] : [road.trust])],
    ...(identity ? { cert: identity.certificate, key: identity.privateKey } : {}),
  });
}

// Connections by the road of the settings and no other, whatever proxies the environment names.
function createAgent(settings: HttpClientSettings, identity?: Identity): Agent {
  const { connections, connectTimeoutMs, requestTimeoutMs, road } = settings;
  // Made once: reading the system's authorities takes milliseconds, and a connection must not pay for it.
  const secureContext = contextOf(settings, identity);
  return new Agent({
    connections,
    pipelining: 1,
    headersTimeout: requestTimeoutMs,
    bodyTimeout: requestTimeoutMs,
    allowH2: false,
    connect: road ? createConnector(road, { secureContext, timeoutMs: connectTimeoutMs }) : { timeout: connectTimeoutMs, secureContext },
  });
}

// A site that looks into TLS has its own authority in the operating system's store; Node's list alone would not know it.
function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('bundled'), ...getCACertificates('system')])];
}

// The connection is only kept when the whole body was read; a longer one ends it.
async function readStart(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    total += chunk.length;
    if (total > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_ANSWER_BYTES);
}

function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  const text = name === 'TimeoutError' ? 'no answer in time' : messageOf(error);
  return typeof code === 'string' ? `${code}: ${text}` : text;
}
