import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import type { Refusal } from './refusals.ts';
import { authorityOf, type Target } from './target.ts';

const MAX_HEAD_BYTES = 16 * 1024;

/** A proxy on the way out. */
export interface UpstreamProxy {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export type ByProxy = { readonly opened: true; readonly socket: Socket } | { readonly opened: false; readonly refusal: Refusal };

/** Asks a proxy for a tunnel to a host (RFC 9110 §9.3.6), with basic credentials (RFC 7617) when there are some. */
export function connectByProxy(proxy: UpstreamProxy, target: Target, signal: AbortSignal): Promise<ByProxy> {
  const authority = authorityOf(target);
  return new Promise((done) => {
    const asking = request({
      host: proxy.host,
      port: proxy.port,
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...credentialsOf(proxy) },
      createConnection: () => connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true, noDelay: true }),
      maxHeaderSize: MAX_HEAD_BYTES,
      signal,
    });
    const refused = (reason: 'proxy-refused' | 'unreachable', found: string): void => done({ opened: false, refusal: { reason, found } });
    asking.once('connect', ({ statusCode = 0, statusMessage = '' }, socket, head) => {
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head);
        done({ opened: true, socket: socket as Socket });
        return;
      }
      socket.destroy();
      const hint = statusCode === 407 ? ' (it wants other credentials)' : '';
      refused('proxy-refused', `${proxy.host}:${proxy.port} answered ${statusCode} ${statusMessage.slice(0, 100)} for ${authority}${hint}`);
    });
    asking.on('error', (error) => refused('unreachable', `the upstream proxy ${proxy.host}:${proxy.port}: ${messageOf(error)}`));
    asking.end();
  });
}

function credentialsOf({ user, password }: UpstreamProxy): Record<string, string> {
  if (user === undefined) return {};
  return { 'proxy-authorization': `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` };
}
