import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import type { Clock } from '../clock.ts';
import { createHelloReader, type HelloProgress } from './client-hello.ts';
import type { Refusal } from './refusals.ts';
import type { Target } from './target.ts';

/** The bytes of a good ClientHello and whatever came with it, or why the tunnel ends. */
export type FirstFlight = { readonly good: true; readonly bytes: Buffer } | { readonly good: false; readonly refusal: Refusal };

export interface FirstFlightParts {
  readonly target: Target;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Reads a client's first flight until its ClientHello is whole, and looks whether it fits the host. Leaves the socket paused. */
export function readFirstFlight(client: Socket, { target, timeoutMs, clock }: FirstFlightParts): Promise<FirstFlight> {
  const reader = createHelloReader();
  return new Promise((resolve) => {
    const settle = (flight: FirstFlight): void => {
      cancel();
      client.off('data', onData).off('end', onGone).off('close', onGone);
      client.pause();
      resolve(flight);
    };
    const refuse = (refusal: Refusal): void => settle({ good: false, refusal });
    const onData = (chunk: Buffer): void => {
      const progress = reader.push(chunk);
      if (progress.state === 'more') return;
      const refusal = refusalOf(progress, target);
      if (refusal) refuse(refusal);
      else settle({ good: true, bytes: reader.bytes() });
    };
    const onGone = (): void => refuse({ reason: 'client-gone', found: `after ${reader.bytes().length} bytes` });
    const cancel = clock.after(timeoutMs, () => refuse({ reason: 'hello-timeout', found: `${reader.bytes().length} bytes in ${timeoutMs} ms` }));
    if (client.destroyed) return onGone();
    client.on('data', onData).on('end', onGone).on('close', onGone);
    client.resume();
  });
}

// RFC 6066 §3: an address is no server name. A client that asks for a configured address sends none.
function refusalOf(progress: Exclude<HelloProgress, { state: 'more' }>, { host }: Target): Refusal | undefined {
  if (progress.state === 'refused') return progress;
  const { isModern, serverName } = progress.hello;
  if (!isModern) return { reason: 'old-tls', found: 'neither TLS 1.2 nor TLS 1.3 is offered' };
  if (serverName === undefined) return isIP(host) === 0 ? { reason: 'no-name', found: `the tunnel was asked for ${host}` } : undefined;
  return serverName.replace(/\.$/, '') === host ? undefined : { reason: 'other-name', found: `${serverName} instead of ${host}` };
}
