import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import type { TargetVerdict } from './allow-list.ts';
import type { JudgeClient } from './clients.ts';
import { type FirstFlight, readFirstFlight } from './first-flight.ts';
import type { NewTunnel } from './open-tunnels.ts';
import { httpReply, type Refusal, tunnelReply } from './refusals.ts';
import { readTarget, type Target } from './target.ts';
import { sayAndClose } from './tunnel-listener.ts';
import type { WayOut } from './way-out.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

export interface ServeConnectParts {
  /** Why no client may have a tunnel now. */
  readonly judgeLoad: (address: string) => Refusal | undefined;
  readonly clientOf: (socket: Socket) => JudgeClient;
  readonly judgeTarget: (target: Target) => TargetVerdict;
  readonly wayOut: WayOut;
  readonly helloTimeoutMs: number;
  readonly clock: Clock;
  readonly onRefused: (refusal: Refusal, remoteAddress: string) => void;
  readonly onOpened: (tunnel: NewTunnel) => void;
}

/** From a CONNECT to a tunnel, or to a refusal: who, whereto, the way there, the ClientHello. In this order, and the last before a byte goes out. */
export function createServeConnect(parts: ServeConnectParts): (authority: string, client: Socket, head: Buffer) => Promise<void> {
  const { judgeLoad, clientOf, wayOut, onRefused, onOpened } = parts;

  return async (authority, client, head) => {
    const address = client.remoteAddress ?? '';
    const refuse = (refusal: Refusal, reply: Buffer | string | undefined): void => {
      onRefused(refusal, address);
      sayAndClose(client, reply);
    };
    const judgeClient = clientOf(client);
    const wanted = judgeLoad(address) ?? judgeClient() ?? placeOf(authority, parts);
    if ('reason' in wanted) return refuse(wanted, httpReply(wanted));
    const way = await wayOut.open(wanted.target, wanted.isEndpoint);
    if (!way.opened) return refuse(way.refusal, httpReply(way.refusal));
    const flight = await firstFlight(client, head, { ...parts, target: wanted.target, upstream: way.socket });
    if (!flight.good) return refuse(flight.refusal, tunnelReply(flight.refusal));
    onOpened({ client, upstream: way.socket, judgeClient });
    way.socket.write(flight.bytes);
  };
}

function placeOf(authority: string, { judgeTarget }: ServeConnectParts): { readonly target: Target; readonly isEndpoint: boolean } | Refusal {
  const target = readTarget(authority);
  if (!target) return { reason: 'bad-request', found: 'the CONNECT names no host and port' };
  const verdict = judgeTarget(target);
  return verdict.allowed ? { target, isEndpoint: verdict.isEndpoint } : verdict.refusal;
}

interface FirstFlightStep extends ServeConnectParts {
  readonly target: Target;
  readonly upstream: Socket;
}

// Until the tunnel stands, the end of one side is the end of the other. Later each ends by itself: what one still has to say is not cut off.
async function firstFlight(client: Socket, head: Buffer, { target, upstream, helloTimeoutMs, clock }: FirstFlightStep): Promise<FirstFlight> {
  const endUpstream = (): void => void upstream.destroy();
  const endClient = (): void => void client.destroy();
  upstream.on('error', endUpstream).once('close', endClient);
  client.once('close', endUpstream);
  if (client.destroyed) endUpstream();
  client.write(ESTABLISHED);
  if (head.length > 0) client.unshift(head);
  const flight = await readFirstFlight(client, { target, timeoutMs: helloTimeoutMs, clock });
  upstream.off('close', endClient);
  client.off('close', endUpstream);
  if (!flight.good) upstream.destroy();
  return flight;
}
