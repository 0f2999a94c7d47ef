import type { IncomingMessage } from 'node:http';
import type { Lifecycle, Plugin, ResponseToolkit } from '@hapi/hapi';
import type { Clock } from '../clock.ts';
import type { Faults, RequestFault } from './faults.ts';
import type { PeerOf } from './peer.ts';
import { holdsMarker } from './poison.ts';
import { type Refusal, refuse } from './replies.ts';

export interface FaultInjectionDeps {
  readonly faults: Faults;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
}

/** Makes requests fail as the fault in force says. */
export function faultInjection(deps: FaultInjectionDeps): Plugin<void> {
  const faultOf = (message: IncomingMessage): RequestFault | undefined => deps.faults.ofRequest(deps.peerOf(message)?.workspaceId);

  const beforeBody: Lifecycle.Method = (request, h) => {
    if (faultOf(request.raw.req)?.mode !== 'reset') return h.continue;
    cutOffHalfWay(request.raw.req);
    return h.abandon;
  };

  const afterBody: Lifecycle.Method = (request, h) => {
    const fault = faultOf(request.raw.req);
    if (!fault) return h.continue;
    if (fault.mode === 'hang') {
      const release = deps.faults.whenLifted(() => request.raw.req.socket.destroy());
      request.raw.req.socket.once('close', release);
      return h.abandon;
    }
    if (fault.mode === 'poison' && !holdsMarker(request, fault.marker)) return h.continue;
    return answerFault(h, request.path, fault);
  };

  const beforeAnswer: Lifecycle.Method = async (request, h) => {
    const fault = faultOf(request.raw.req);
    if (fault?.mode === 'slow') await pause(deps, fault.delayMs);
    return h.continue;
  };

  return {
    name: 'fault-injection',
    register(server) {
      server.ext([
        { type: 'onPreAuth', method: beforeBody },
        { type: 'onPreHandler', method: afterBody },
        { type: 'onPreResponse', method: beforeAnswer },
      ]);
    },
  };
}

function answerFault(h: ResponseToolkit, path: string, fault: RequestFault): Lifecycle.ReturnValue {
  const refusal = refusalOf(fault);
  if (!refusal) return h.continue;
  const response = refuse(h, path, refusal);
  if (fault.mode === 'too-many-requests') response.header('retry-after', String(fault.retryAfterS));
  return response.takeover();
}

function refusalOf(fault: RequestFault): Refusal | undefined {
  const message = `The local workspace was told to fail: ${fault.mode}. End it with: relay local-workspace fault none`;
  switch (fault.mode) {
    case 'too-many-requests':
      return { status: 429, code: 'TooManyRequests', message };
    case 'error':
      return { status: 500, code: 'InternalServerError', message };
    case 'forbidden':
      return { status: 403, code: 'Forbidden', message };
    case 'status':
      return { status: fault.status, code: 'Fault', message };
    case 'poison':
      return { status: 400, code: 'InvalidRecord', message: `${message} A record holds ${JSON.stringify(fault.marker)}.` };
    case 'slow':
    case 'hang':
    case 'reset':
      return undefined;
  }
}

function cutOffHalfWay(message: IncomingMessage): void {
  const half = Number(message.headers['content-length'] ?? 0) / 2;
  let seen = 0;
  const read = (chunk: Buffer): void => {
    seen += chunk.length;
    if (seen >= half) message.socket.destroy();
  };
  message.on('error', () => {});
  if (half === 0 && message.headers['transfer-encoding'] === undefined) message.socket.destroy();
  else message.on('data', read);
}

async function pause(deps: FaultInjectionDeps, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancelTimer = deps.clock.after(ms, () => {
      keep();
      resolve();
    });
    const keep = deps.faults.whenLifted(() => {
      cancelTimer();
      resolve();
    });
  });
}
