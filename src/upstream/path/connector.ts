import type { SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import type { Road } from './road.ts';

const HTTPS_PORT = 443;

export interface ConnectorSettings {
  readonly secureContext: SecureContext;
  /** For the name, TCP, the proxy and TLS together. */
  readonly timeoutMs: number;
}

/** How undici connects by a road: the road's socket, then TLS over it with the service's own name. */
export function createConnector(road: Road, { secureContext, timeoutMs }: ConnectorSettings): buildConnector.connector {
  const overSocket = buildConnector({ secureContext, timeout: 0, allowH2: false });

  return (options, callback) => {
    const ended = new AbortController();
    let settled = false;
    const settle = (...outcome: Parameters<buildConnector.Callback>): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      callback(...outcome);
    };
    const fail = (error: unknown): void => settle(error instanceof Error ? error : new Error(String(error)), null);
    const timer = setTimeout(() => {
      const error = tookTooLong(options.hostname, timeoutMs);
      ended.abort(error);
      fail(error);
    }, timeoutMs);
    const secure = (socket: Awaited<ReturnType<Road['open']>>): void => {
      ended.signal.addEventListener('abort', () => void socket.destroy(), { once: true });
      overSocket({ ...options, httpSocket: socket }, (...outcome) => {
        if (outcome[0] !== null) socket.destroy();
        settle(...outcome);
      });
    };
    road
      .open(bareHost(options.hostname), Number(options.port) || HTTPS_PORT, ended.signal)
      .then(secure)
      .catch(fail);
  };
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function tookTooLong(host: string, timeoutMs: number): Error {
  return Object.assign(new Error(`connecting to ${host} took longer than ${timeoutMs} ms`), { code: 'UND_ERR_CONNECT_TIMEOUT' });
}
