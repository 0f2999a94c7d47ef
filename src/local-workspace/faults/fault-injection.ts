import type { IncomingMessage } from 'node:http';
import type { Lifecycle, Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import type { Clock } from '../../clock.ts';
import type { Directory } from '../intake/ingestion/directory.ts';
import type { PeerOf } from '../intake/peer.ts';
import { type Refusal, refuse } from '../replies.ts';
import { ruleOf, type Service, serviceOf } from '../service-path.ts';
import type { Faults, RequestFault } from './faults.ts';
import { holdsMarker } from './poison.ts';

export interface FaultInjectionDeps {
  readonly faults: Faults;
  readonly peerOf: PeerOf;
  readonly directory: Directory;
  readonly clock: Clock;
}

/** Makes requests fail as the fault in force says. */
export function faultInjection(deps: FaultInjectionDeps): Plugin<void> {
  const faultOf = ({ path, raw }: Request): RequestFault | undefined => {
    const rule = ruleOf(path);
    const workspaceId = rule === undefined ? deps.peerOf(raw.req)?.workspaceId : deps.directory.rule(rule)?.workspace;
    return deps.faults.ofRequest(serviceOf(path), workspaceId);
  };

  const beforeBody: Lifecycle.Method = (request, h) => {
    if (faultOf(request)?.mode !== 'reset') return h.continue;
    deps.faults.spend();
    cutOffHalfWay(request.raw.req);
    return h.abandon;
  };

  const afterBody: Lifecycle.Method = (request, h) => {
    const fault = faultOf(request);
    if (!fault) return h.continue;
    if (fault.mode === 'hang') {
      deps.faults.spend();
      const release = deps.faults.whenLifted(() => request.raw.req.socket.destroy());
      request.raw.req.socket.once('close', release);
      return h.abandon;
    }
    if (fault.mode === 'poison' && !holdsMarker(request, fault.marker)) return h.continue;
    if (refusalOf(fault, serviceOf(request.path))) deps.faults.spend();
    return answerFault(h, request, fault);
  };

  const beforeAnswer: Lifecycle.Method = async (request, h) => {
    const fault = faultOf(request);
    if (fault?.mode !== 'slow' && fault?.mode !== 'lost-answer') return h.continue;
    deps.faults.spend();
    if (fault.mode === 'slow') {
      await pause(deps, fault.delayMs);
      return h.continue;
    }
    request.raw.req.socket.destroy();
    return h.abandon;
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

function answerFault(h: ResponseToolkit, request: Request, fault: RequestFault): Lifecycle.ReturnValue {
  const refusal = refusalOf(fault, serviceOf(request.path));
  if (!refusal) return h.continue;
  const response = refuse(h, request.path, refusal);
  if (fault.mode === 'unauthorized') response.header('www-authenticate', `Bearer authorization_uri="https://${request.info.host}/", error="invalid_token"`);
  if (fault.mode === 'too-many-requests') response.header('retry-after', String(fault.retryAfterS));
  return response.takeover();
}

function refusalOf(fault: RequestFault, service: Service): Refusal | undefined {
  const message = `The local workspace was told to fail: ${fault.mode}. End it with: relay local-workspace fault none`;
  switch (fault.mode) {
    case 'too-many-requests':
      return { status: 429, code: 'TooManyRequests', message };
    case 'error':
      return { status: 500, code: 'InternalServerError', message };
    case 'unauthorized':
      return { status: 401, code: 'AuthenticationFailed', message };
    case 'forbidden':
      return { status: 403, code: service === 'ingestion' ? 'OperationFailed' : 'Forbidden', message };
    case 'status':
      return { status: fault.status, code: 'Fault', message };
    case 'poison':
      return { status: 400, code: 'InvalidRecord', message: `${message} A record holds ${JSON.stringify(fault.marker)}.` };
    case 'slow':
    case 'hang':
    case 'reset':
    case 'lost-answer':
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
