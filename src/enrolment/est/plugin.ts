/** hapi plugin: Enrolment over Secure Transport (RFC 7030), so that any client can enrol with standard tools such as openssl and curl. */
import type { Plugin, Request, ResponseObject, ResponseToolkit, RouteOptionsPayload } from '@hapi/hapi';
import type { EnterAudit } from '../../audit/entry.ts';
import type { Authority } from '../../authority/authority.ts';
import { writeCertsOnly } from '../../authority/certs-only.ts';
import { writeRequestAttributes } from '../../authority/request-attributes.ts';
import { readSigningRequest } from '../../authority/signing-request.ts';
import { fromPem } from '../../authority/x509.ts';
import { readBasic } from '../../basic-credentials.ts';
import { EST_RENEW_PATH, EST_ROOTS_PATH } from '../../check-in/est-paths.ts';
import { RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Agent } from '../../management-group/agent.ts';
import { type IdentifySettings, identify } from '../../management-group/identify.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Attempts } from '../attempts.ts';
import type { PeerCertificate } from '../peer.ts';
import { readDer, writeDer } from './body.ts';
import { findCredential } from './credentials.ts';
import { BAD_CREDENTIALS, type EstEnrolment, type EstEnrolParts, enrolByEst } from './enrol.ts';
import { issue } from './issue.ts';

const MAX_BODY_BYTES = 32 * 1024;
/** How soon a machine that waits for approval should ask again. */
const ASK_AGAIN_S = 60;
const CERTS_ONLY = 'application/pkcs7-mime; smime-type=certs-only';

export interface EstPluginOptions extends EstEnrolParts {
  readonly authority: Pick<Authority, 'issueAgent' | 'rootFingerprint' | 'roots'>;
  /** How a client certificate is judged that is to be renewed. */
  readonly identifying: IdentifySettings;
  readonly peerCertificate: PeerCertificate;
  readonly attempts: Attempts;
  readonly audit: EnterAudit;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export const estPlugin: Plugin<EstPluginOptions> = {
  name: 'est',
  register(server, est) {
    const { group, authority, metrics, log } = est;

    const enrol = (request: Request, h: ResponseToolkit): ResponseObject => {
      const outcome = attempt(request, est);
      const word = outcome.outcome === 'refused' ? outcome.code.replace('relay.enrolment.', '') : outcome.outcome === 'pending' ? 'pending' : 'accepted';
      metrics.count('enrolments', { outcome: word });
      enterOutcome(request, outcome, est);
      if (outcome.outcome === 'refused') throw new RelayError(outcome.code, outcome.message);
      const { agentId, workspaceId, hostName } = outcome.agent;
      log[outcome.outcome === 'pending' && !outcome.isNew ? 'debug' : 'info'](
        { agentId, workspaceId, hostName, outcome: outcome.outcome },
        'a machine enrols by EST',
      );
      if (outcome.outcome === 'issued') return certificates(h, [outcome.certificate]);
      return h
        .response(`Agent ${agentId} waits for: relay agents approve ${agentId}\n`)
        .type('text/plain')
        .code(202)
        .header('retry-after', String(ASK_AGAIN_S));
    };

    const renew = (request: Request, h: ResponseToolkit): ResponseObject => {
      const agent = approvedAgent(request, est);
      const { der, facts } = issue(est, agent, publicKeyIn(request));
      group.registry.addCertificate(agent, facts);
      group.registry.touch(agent);
      const { agentId, workspaceId, hostName } = agent;
      metrics.count('enrolments', { outcome: 'renewed' });
      est.audit({ actor: { kind: 'agent', name: agentId }, action: 'agent.renew', on: `${workspaceId}/${agentId}`, from: addressOf(request), result: 'done' });
      log.info({ agentId, workspaceId, hostName, endsAt: new Date(facts.notAfter).toISOString() }, 'an agent renewed its certificate by EST');
      return certificates(h, [der]);
    };

    const open = { auth: false as const };
    server.route([
      { method: 'GET', path: EST_ROOTS_PATH, handler: (_request, h) => certificates(h, authority.roots().trusted.map(fromPem)), options: open },
      {
        method: 'GET',
        path: '/.well-known/est/csrattrs',
        handler: (_request, h) => base64(h, writeRequestAttributes(), 'application/csrattrs'),
        options: open,
      },
      { method: 'POST', path: '/.well-known/est/simpleenroll', handler: enrol, options: { ...open, payload: raw } },
      { method: 'POST', path: EST_RENEW_PATH, handler: renew, options: { ...open, payload: raw } },
    ]);
  },
};

const raw: RouteOptionsPayload = {
  parse: false,
  output: 'data',
  override: 'application/octet-stream',
  maxBytes: MAX_BODY_BYTES,
  failAction: (_request, _h, error) => {
    const status = (error as { output?: { statusCode?: number } } | undefined)?.output?.statusCode;
    throw status === 413
      ? new RelayError('relay.enrolment.too-large', `The body has more than ${MAX_BODY_BYTES} bytes. A signing request has about 500.`)
      : error;
  },
};

function attempt(request: Request, est: EstPluginOptions): EstEnrolment {
  const { attempts, group, serves } = est;
  const address = addressOf(request);
  const waitS = attempts.begin(address);
  if (waitS > 0)
    throw new RelayError(
      'relay.enrolment.too-many-attempts',
      `Too many attempts to enrol, or too many bad ones, came from ${address}. Wait ${waitS} seconds.`,
      { retryAfterS: waitS },
    );
  const basic = readBasic(headerOf(request));
  if (!basic) throw new RelayError(BAD_CREDENTIALS.code, BAD_CREDENTIALS.message);
  const credential = findCredential(group, serves, basic.password);
  // Nobody without credentials makes us read a signing request.
  const outcome = credential ? enrolByEst(est, { name: basic.name, credential, publicKey: publicKeyIn(request) }) : BAD_CREDENTIALS;
  if (outcome === BAD_CREDENTIALS) attempts.failed(address);
  return outcome;
}

function publicKeyIn(request: Request): Extract<ReturnType<typeof readSigningRequest>, { readable: true }>['publicKey'] {
  const der = readDer((request.payload as Buffer | null) ?? Buffer.alloc(0));
  if (!der) throw new RelayError('relay.enrolment.bad-request', 'The body is no signing request: neither base64, nor DER, nor PEM.');
  const found = readSigningRequest(der);
  if (!found.readable) throw new RelayError('relay.enrolment.bad-request', `The signing request cannot be used: ${found.reason}.`);
  return found.publicKey;
}

function approvedAgent(request: Request, { group, identifying, peerCertificate }: EstPluginOptions): Agent {
  const found = identify(group.registry, peerCertificate(request), identifying);
  if (!found.known) throw new RelayError(`relay.agent.${found.reason}`, found.message);
  const { agentId, hostName, state, stateReason } = found.agent;
  if (state === 'pending')
    throw new RelayError(
      'relay.agent.pending',
      `Agent ${agentId} (${hostName}) is not approved yet. An operator approves it with: relay agents approve ${agentId}`,
    );
  if (state === 'suspended') throw new RelayError('relay.agent.suspended', `Agent ${agentId} (${hostName}) is suspended: ${stateReason}.`);
  return found.agent;
}

// Who failed to sign in is not named: the name given could be the password, put in the wrong place.
function enterOutcome(request: Request, outcome: EstEnrolment, { audit }: EstPluginOptions): void {
  const from = addressOf(request);
  if (outcome.outcome === 'refused') {
    const action = outcome === BAD_CREDENTIALS ? 'sign-in.fail' : 'agent.enrol';
    audit({ actor: { kind: 'agent', name: 'unknown' }, action, on: 'EST', from, result: 'refused', detail: outcome.code });
    return;
  }
  const { agentId, workspaceId, stateReason } = outcome.agent;
  // A machine that waits asks every minute.
  if (outcome.outcome === 'pending' && !outcome.isNew) return;
  audit({ actor: { kind: 'agent', name: agentId }, action: 'agent.enrol', on: `${workspaceId}/${agentId}`, from, result: 'done', detail: stateReason });
}

function headerOf(request: Request): string | undefined {
  const value: unknown = request.headers['authorization'];
  return typeof value === 'string' ? value : undefined;
}

function addressOf(request: Request): string {
  return request.info.remoteAddress;
}

function certificates(h: ResponseToolkit, ders: readonly Buffer[]): ResponseObject {
  return base64(h, writeCertsOnly(ders), CERTS_ONLY);
}

function base64(h: ResponseToolkit, der: Buffer, type: string): ResponseObject {
  return h.response(writeDer(der)).type(type).header('content-transfer-encoding', 'base64');
}
