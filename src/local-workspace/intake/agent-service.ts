import { randomUUID } from 'node:crypto';
import type { Lifecycle, Plugin, Request, RouteOptionsPayload } from '@hapi/hapi';
import { readCertificate } from '../../authority/x509.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import { MAX_STATEMENT_BYTES, readAuthorityStatement } from '../../oms-protocol/authority-statement.ts';
import { checkOnboarding, type OnboardingAccepted } from '../../oms-protocol/onboarding.ts';
import { AUTHORITIES_PATH, RENEW_PATH, TELEMETRY_PATH, TOPOLOGY_PATH } from '../../oms-protocol/paths.ts';
import { writeTopologyReply } from '../../oms-protocol/topology-reply.ts';
import { MAX_TOPOLOGY_BYTES, readRenewalRequest } from '../../oms-protocol/topology-request.ts';
import type { AgentId, WorkspaceId } from '../../workspace/workspace-id.ts';
import { authenticate, type HostedWorkspaces, type Known } from '../hosted-workspace.ts';
import { type Refusal, refuse } from '../replies.ts';
import type { Peer, PeerOf } from './peer.ts';

const MAX_SKEW_MS = 15 * 60_000;
const MAX_TELEMETRY_BYTES = 1024 * 1024;
const TOPOLOGY_INTERVAL_S = 20 * 60;
const TELEMETRY_INTERVAL_S = 5 * 60;
const HOST = /^[A-Za-z0-9.[\]:_-]{1,300}$/;

export interface AgentServiceDeps {
  readonly workspaces: HostedWorkspaces;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The service that agents register with: onboarding by the workspace's key, later topology requests, telemetry and renewal by certificate alone. */
export function agentService(deps: AgentServiceDeps): Plugin<void> {
  const topology: Lifecycle.Method = (request, h) => {
    const met = header(request, 'authorization') === undefined ? recognise(deps, request) : onboard(deps, request);
    if ('refusal' in met) return refuse(h, request.path, met.refusal);
    return h.response(topologyReply(request, met, deps.clock.now())).type('application/xml');
  };

  const telemetry: Lifecycle.Method = (request, h) => {
    const met = recognise(deps, request);
    return 'refusal' in met ? refuse(h, request.path, met.refusal) : h.response('').code(200);
  };

  const renew: Lifecycle.Method = (request, h) => {
    const refusal = renewCertificate(deps, request);
    return refusal ? refuse(h, request.path, refusal) : h.response('').code(200);
  };

  const authorities: Lifecycle.Method = (request, h) => {
    const refusal = takeAuthorities(deps, request);
    return refusal ? refuse(h, request.path, refusal) : h.response('').code(200);
  };

  return {
    name: 'agent-service',
    register(server) {
      server.route([
        { method: 'POST', path: TOPOLOGY_PATH, options: { payload: plainBody(MAX_TOPOLOGY_BYTES) }, handler: topology },
        { method: 'POST', path: TELEMETRY_PATH, options: { payload: plainBody(MAX_TELEMETRY_BYTES) }, handler: telemetry },
        { method: 'POST', path: RENEW_PATH, options: { payload: plainBody(MAX_TOPOLOGY_BYTES) }, handler: renew },
        { method: 'POST', path: AUTHORITIES_PATH, options: { payload: plainBody(MAX_STATEMENT_BYTES) }, handler: authorities },
      ]);
    },
  };
}

/** A body as bytes. Its Content-Type is not looked at: agents send XML as a form (§1.5). */
function plainBody(maxBytes: number): RouteOptionsPayload {
  return { parse: false, output: 'data', maxBytes, override: 'application/octet-stream' };
}

/** An agent that has been let in. */
interface Met {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly peer: Peer;
}

function recognise(deps: AgentServiceDeps, request: Request): Met | { readonly refusal: Refusal } {
  const found = authenticate(deps.workspaces, deps.peerOf(request.raw.req), deps.clock.now());
  if (!found.known) return { refusal: found.refusal };
  return { workspaceId: found.workspace.id, agentId: found.agentId, peer: found.peer };
}

function onboard(deps: AgentServiceDeps, request: Request): Met | { readonly refusal: Refusal } {
  const peer = deps.peerOf(request.raw.req);
  const now = deps.clock.now();
  const checked = checkOnboarding({
    headers: { authorization: header(request, 'authorization'), date: header(request, 'x-ms-date'), contentHash: header(request, 'x-ms-sha256_content') },
    body: bodyOf(request),
    peerCertificate: peer?.certificate,
    now,
    maxSkewMs: MAX_SKEW_MS,
    keysOf: (id) => deps.workspaces.get(id)?.keys ?? [],
  });
  if (!checked.accepted) return { refusal: { status: 403, code: checked.reason, message: checked.message } };
  // checkOnboarding found the peer's certificate and the body's to be one, so there is a peer.
  if (!peer || now > peer.notAfter)
    return { refusal: { status: 403, code: 'CertificateExpired', message: 'The certificate has expired. Make a new one and onboard it.' } };
  register(deps, checked, now);
  return { workspaceId: checked.workspaceId, agentId: checked.request.agentId, peer };
}

function register(deps: AgentServiceDeps, { workspaceId, request, certificate }: OnboardingAccepted, now: number): void {
  const { agentId, hostName, operatingSystem } = request;
  deps.workspaces.get(workspaceId)?.certificates.register({ fingerprint: certificate.fingerprint, agentId, hostName, operatingSystem, registeredAt: now });
  deps.log.info({ workspaceId, agentId, hostName }, 'registered');
}

function renewCertificate(deps: AgentServiceDeps, request: Request): Refusal | undefined {
  const now = deps.clock.now();
  const found = registered(deps, request, now);
  if (!found.known) return found.refusal;
  const { agentId, workspace, peer } = found;
  const certificate = readCertificate(readRenewalRequest(bodyOf(request)) ?? Buffer.alloc(0));
  if (!certificate) return { status: 403, code: 'InvalidRenewalRequest', message: 'The body is not a CertificateUpdateRequest with a NewCertificate.' };
  if (namesOf(certificate) !== namesOf(peer)) {
    return {
      status: 403,
      code: 'CertificateMismatch',
      message: 'The new certificate has other common names than the one presented. Make it for the same workspace and agent.',
    };
  }
  const { fingerprint } = certificate;
  const { hostName = '', operatingSystem = '' } = workspace.certificates.find(peer.fingerprint) ?? {};
  workspace.certificates.register({ fingerprint, agentId, hostName, operatingSystem, registeredAt: now });
  deps.log.info({ workspaceId: workspace.id, agentId }, 'certificate renewed');
  return undefined;
}

// What follows lets others in, or outlives the relay's word: not for an agent that is here only because a relay answers for it.
function registered(deps: AgentServiceDeps, request: Request, now: number): Known | { readonly known: false; readonly refusal: Refusal } {
  const found = authenticate(deps.workspaces, deps.peerOf(request.raw.req), now);
  if (!found.known || found.by === 'certificate') return found;
  const message = 'This certificate comes from a management group. Renew it at the relay; what authorities there are is said by the relay itself.';
  return { known: false, refusal: { status: 403, code: 'NotRegistered', message } };
}

function takeAuthorities(deps: AgentServiceDeps, request: Request): Refusal | undefined {
  const now = deps.clock.now();
  const found = registered(deps, request, now);
  if (!found.known) return found.refusal;
  const statement = readAuthorityStatement(bodyOf(request));
  if (!statement || !found.workspace.authorities.put(found.agentId, statement, now)) {
    return { status: 400, code: 'InvalidAuthorities', message: 'The body is not { "roots": [PEM of a root …], "agents": [GUID …] }.' };
  }
  const { id: workspaceId } = found.workspace;
  deps.log.info({ workspaceId, relay: found.agentId, roots: statement.roots.length, agents: statement.agents.length }, 'a relay answers for its agents');
  return undefined;
}

function namesOf(certificate: { readonly commonNames: readonly string[] }): string {
  return certificate.commonNames.join('\n').toLowerCase();
}

function topologyReply(request: Request, { workspaceId, agentId, peer }: Met, now: number): string {
  const host = HOST.test(request.info.host) ? request.info.host : 'localhost';
  return writeTopologyReply({
    renewalAddress: `https://${host}${RENEW_PATH}`,
    renewCertificate: now >= peer.renewalDueAt,
    configurationAddress: `https://${host}/Accounts/${workspaceId}/Nodes(AgentId='${agentId}')`,
    topologyIntervalS: TOPOLOGY_INTERVAL_S,
    telemetryIntervalS: TELEMETRY_INTERVAL_S,
    id: randomUUID(),
  });
}

function bodyOf(request: Request): Buffer {
  return Buffer.isBuffer(request.payload) ? request.payload : Buffer.alloc(0);
}

function header(request: Request, name: string): string | undefined {
  const value: unknown = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
