/** hapi plugin: the AgentService of the OMS protocol (wire protocol §1 and §2), so that Linux Log Analytics agents enrol as they are. */
import { randomUUID } from 'node:crypto';
import type { Lifecycle, Plugin, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { AuditEvent, EnterAudit } from '../audit/entry.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Agent, AgentCertificate } from '../management-group/agent.ts';
import { identify } from '../management-group/identify.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { RENEW_PATH, TELEMETRY_PATH, TOPOLOGY_PATH } from '../oms-protocol/paths.ts';
import { writeRefusal } from '../oms-protocol/refusal-body.ts';
import { writeTopologyReply } from '../oms-protocol/topology-reply.ts';
import { MAX_TOPOLOGY_BYTES, readTopologyRequest } from '../oms-protocol/topology-request.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Attempts } from './attempts.ts';
import { type Enrolment, type EnrolParts, enrol } from './enrol.ts';
import type { EnrolmentOptions } from './options.ts';
import type { PeerCertificate } from './peer.ts';
import { isRenewalDue, renew } from './renew.ts';

const MAX_TELEMETRY_BYTES = 256 * 1024;
const HOST = /^[a-z0-9.:[\]-]{1,255}$/i;

export interface AgentServiceOptions extends EnrolParts {
  readonly options: EnrolmentOptions;
  readonly peerCertificate: PeerCertificate;
  /** Host and port in the renewal address when a request names none. */
  readonly ownHost: string;
  readonly audit: EnterAudit;
  readonly clock: Clock;
  readonly attempts: Attempts;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface Refusal {
  /** One word, for the agent's log. */
  readonly reason: string;
  readonly message: string;
  /** Whose request it was, where that is known. */
  readonly workspaceId?: WorkspaceId;
  readonly agentId?: AgentId;
}

export const agentServicePlugin: Plugin<AgentServiceOptions> = {
  name: 'agent-service',
  register(server, service) {
    const { group, options, peerCertificate, audit, clock, attempts, metrics, log } = service;
    const { registry } = group;
    const settings = { now: clock.now, oldCertificateGraceMs: options.oldCertificateGrace, expiredGraceMs: options.expiredCertificates };

    const onboard = (request: Request, h: ResponseToolkit): ResponseObject => {
      const { remoteAddress: from } = request.info;
      const waitS = attempts.begin(from);
      if (waitS > 0) {
        const message = `Too many attempts to enrol, or too many bad ones, came from ${from}. Wait ${waitS} seconds.`;
        return refuse(request, h, { reason: 'TooManyAttempts', message }, 429).header('retry-after', String(waitS));
      }
      const attempt = {
        headers: { authorization: header(request, 'authorization'), date: header(request, 'x-ms-date'), contentHash: header(request, 'x-ms-sha256_content') },
        body: request.payload as Buffer,
        peerCertificate: peerCertificate(request),
        now: clock.now(),
        version: versionIn(request),
        maxSkewMs: options.clockSkew,
      };
      const outcome = enrol({ ...service, knownAgents: options.knownAgents }, attempt);
      metrics.count('enrolments', { outcome: outcome.accepted ? 'accepted' : outcome.reason });
      enterOnboarding(request, outcome, audit);
      if (!outcome.accepted) {
        if (outcome.reason === 'InvalidWorkspaceKey') attempts.failed(from);
        return refuse(request, h, outcome);
      }
      log.info({ ...outcome }, 'a machine enrolled');
      return reply(request, h, false);
    };

    const report = (request: Request, h: ResponseToolkit): ResponseObject =>
      withAgent(request, h, (agent, certificate) => {
        const said = readTopologyRequest(request.payload as Buffer);
        if (!said || said.agentId !== agent.agentId)
          return refuse(request, h, { reason: 'InvalidTopologyRequest', message: `The body is not an AgentTopologyRequest of agent ${agent.agentId}.` }, 400);
        const { workspaceId, agentId } = agent;
        registry.update({ workspaceId, agentId, hostName: said.hostName, operatingSystem: said.operatingSystem, version: versionIn(request) });
        return reply(request, h, isRenewalDue(certificate, clock.now(), options.certificateLife));
      });

    const renewal = (request: Request, h: ResponseToolkit): ResponseObject =>
      withAgent(request, h, (agent) => {
        const { agentId, workspaceId, hostName } = agent;
        const outcome = renew(registry, agent, request.payload as Buffer);
        const result = outcome.renewed ? 'done' : 'refused';
        audit({ ...byAgent(request, agent), action: 'agent.renew', result, detail: outcome.renewed ? undefined : outcome.message });
        if (!outcome.renewed) return refuse(request, h, { reason: 'CertificateMismatch', message: outcome.message, workspaceId, agentId });
        log.info({ agentId, workspaceId, hostName }, 'an agent renewed its certificate');
        return h.response().code(200);
      });

    const withAgent = (request: Request, h: ResponseToolkit, then: (agent: Agent, certificate: AgentCertificate) => ResponseObject): ResponseObject => {
      const found = identify(registry, peerCertificate(request), settings);
      if (!found.known) return refuse(request, h, found);
      const { workspaceId, agentId, hostName, state, stateReason } = found.agent;
      if (state === 'suspended') {
        const message = `Agent ${agentId} (${hostName}) is suspended: ${stateReason}.`;
        return refuse(request, h, { reason: 'suspended', message, workspaceId, agentId });
      }
      registry.touch(found.agent);
      return then(found.agent, found.certificate);
    };

    const reply = (request: Request, h: ResponseToolkit, renewCertificate: boolean): ResponseObject => {
      const host = HOST.test(request.info.host) ? request.info.host : service.ownHost;
      const text = writeTopologyReply({
        renewalAddress: `https://${host}${RENEW_PATH}`,
        renewCertificate,
        configurationAddress: `https://${host}/configuration`,
        topologyIntervalS: options.topologyInterval / 1000,
        telemetryIntervalS: options.telemetryInterval / 1000,
        id: randomUUID(),
      });
      return h.response(text).type('text/xml');
    };

    const refuse = (request: Request, h: ResponseToolkit, { reason, message, workspaceId, agentId }: Refusal, status = 403): ResponseObject => {
      const code = `relay.agent.${reason}`;
      metrics.count('refused', { reason: code });
      log.warn({ code, reason, path: request.path, remoteAddress: request.info.remoteAddress, workspaceId, agentId }, message);
      return h.response(writeRefusal(reason, message)).type('text/xml').code(status);
    };

    const topology: Lifecycle.Method = (request, h) => (header(request, 'authorization') === undefined ? report(request, h) : onboard(request, h));
    const telemetry: Lifecycle.Method = (request, h) => withAgent(request, h, () => h.response().code(200));
    // Content-Type says x-www-form-urlencoded whatever the body is (§1.5): never parse by it.
    const raw = (maxBytes: number) => ({
      auth: false as const,
      payload: { parse: false, output: 'data' as const, override: 'application/octet-stream', maxBytes },
    });

    server.route([
      { method: 'POST', path: TOPOLOGY_PATH, handler: topology, options: raw(MAX_TOPOLOGY_BYTES) },
      { method: 'POST', path: RENEW_PATH, handler: renewal, options: raw(MAX_TOPOLOGY_BYTES) },
      { method: 'POST', path: TELEMETRY_PATH, handler: telemetry, options: raw(MAX_TELEMETRY_BYTES) },
    ]);
  },
};

// Who failed to sign in is not named: nothing that it said has been verified.
function enterOnboarding(request: Request, outcome: ReturnType<typeof enrol>, audit: EnterAudit): void {
  const from = request.info.remoteAddress;
  if (outcome.accepted) audit({ ...byAgent(request, outcome), action: 'agent.enrol', result: 'done', detail: outcome.state });
  else audit({ actor: { kind: 'agent', name: 'unknown' }, action: 'sign-in.fail', on: 'AgentService', from, result: 'refused', detail: outcome.reason });
}

function byAgent(request: Request, { agentId, workspaceId }: Pick<Enrolment, 'agentId' | 'workspaceId'>): Pick<AuditEvent, 'actor' | 'on' | 'from'> {
  return { actor: { kind: 'agent', name: agentId }, on: `${workspaceId}/${agentId}`, from: request.info.remoteAddress };
}

function header(request: Request, name: string): string | undefined {
  const value: unknown = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

// Both kinds of agents name themselves and their version: `LinuxMonitoringAgent/1.19.0-0`, `RelayAgent/1.0.0`. Other clients say what they like.
function versionIn(request: Request): string | undefined {
  const said = header(request, 'user-agent')
    ?.replaceAll(/\p{Cc}/gu, '')
    .trim();
  return said && /^[A-Za-z]+Agent\/[\w.+-]{1,60}$/.test(said) ? said : undefined;
}
