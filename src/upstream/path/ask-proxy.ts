import { request } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { messageOf } from '../../errors.ts';
import { RoadError, roadError } from './road-error.ts';

const MAX_HEAD_BYTES = 16 * 1024;
const MAX_REASON_CHARACTERS = 100;

export interface AskProxyParts {
  /** Host and port of the proxy, for messages. */
  readonly proxy: string;
  /** A connection to the proxy. */
  readonly socket: Socket;
  readonly credentials: ProxyCredentials | undefined;
  readonly signal: AbortSignal;
}

export interface ProxyCredentials {
  readonly user: string;
  readonly password: string;
}

/** Asks a proxy for a tunnel to a host (RFC 9110 §9.3.6), with basic credentials (RFC 7617) when there are some. Gives the tunnel, or rejects with the proxy's refusal. */
export function askProxy({ proxy, socket, credentials, signal }: AskProxyParts, host: string, port: number): Promise<Socket> {
  const authority = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    const asking = request({
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...headersOf(credentials) },
      // A connection of our own and no agent: nothing of the environment's proxies applies.
      createConnection: () => socket,
      maxHeaderSize: MAX_HEAD_BYTES,
      signal,
    });
    const fail = (error: RoadError): void => {
      socket.destroy();
      reject(error);
    };
    asking.once('connect', ({ statusCode = 0, statusMessage = '' }, tunnel, head) => {
      if (statusCode < 200 || statusCode > 299) return fail(refusalOf(statusCode, statusMessage, { proxy, authority, credentials }));
      if (head.length > 0) tunnel.unshift(head);
      resolve(tunnel as Socket);
    });
    asking.on('error', (error) => fail(proxyGone(proxy, signal.aborted ? signal.reason : error)));
    asking.end();
  });
}

/** A proxy that cannot be reached, or went away. */
export function proxyGone(proxy: string, cause: unknown): RoadError {
  return cause instanceof RoadError
    ? cause
    : roadError(
        'proxy-unreachable',
        `The proxy ${proxy} cannot be used: ${messageOf(cause)}. Nothing goes around it; check proxy.host, proxy.port and the proxy itself.`,
      );
}

interface Asked {
  readonly proxy: string;
  readonly authority: string;
  readonly credentials: ProxyCredentials | undefined;
}

function refusalOf(status: number, statusMessage: string, { proxy, authority, credentials }: Asked): RoadError {
  const answered = `The proxy ${proxy} answered ${status} ${statusMessage.slice(0, MAX_REASON_CHARACTERS)}`.trim();
  if (status !== 407) return roadError('proxy-refused', `${answered} for ${authority}. Allow this host and port there.`);
  const advice = credentials
    ? `the user ${JSON.stringify(credentials.user)} or its password is wrong; correct proxy.user or the password's file`
    : 'give proxy.user and proxy.passwordFile';
  return roadError('proxy-credentials', `${answered}: it wants other credentials (basic only); ${advice}. A changed password takes effect at once.`);
}

function headersOf(credentials: ProxyCredentials | undefined): Record<string, string> {
  if (!credentials) return {};
  return { 'proxy-authorization': `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}` };
}
