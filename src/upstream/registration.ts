/**
 * The relay as a client of the OMS protocol (wire protocol §7): registers with a workspace by its shared key, reports itself at the interval
 * it is told, and renews its certificate when asked. Nothing here gives up: what fails now is tried at the next need.
 */
import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { renewalDue } from '../authority/authority.ts';
import { fromPem } from '../authority/x509.ts';
import type { Verdict } from '../batch/verdict.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { onboardingHeaders } from '../oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH } from '../oms-protocol/paths.ts';
import { type ReceivedReply, readTopologyReply } from '../oms-protocol/topology-reply.ts';
import { writeRenewalRequest, writeTopologyRequest } from '../oms-protocol/topology-request.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { classify } from './classify.ts';
import type { HttpClient, Reached } from './http-client.ts';
import type { RelayIdentities, RelayIdentity } from './relay-identity.ts';

export interface RegistrationParts {
  readonly workspaceId: WorkspaceId;
  /** `https://<id>.oms.<domain>` or the endpoint that stands for it; without a final slash. */
  readonly serviceUrl: string;
  readonly userAgent: string;
  /** Reads the workspace's shared key (base64) when it is needed, so that a changed one takes effect at once. */
  readonly sharedKey: () => Promise<string>;
  readonly identities: RelayIdentities;
  readonly client: HttpClient;
  /** Told of each registration that succeeded. */
  readonly onRegistered?: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Registration {
  /** Registers when that has not been done. Undefined when all is well, else the verdict for whatever wanted to be sent. */
  ensure(): Promise<Verdict | undefined>;
  /** The workspace did not know our certificate: register again at the next need. */
  forget(): void;
  /** When the certificate in use ends, in milliseconds since 1970; undefined before there is one. */
  certificateEndsAt(): number | undefined;
  close(): void;
}

type Outcome = { readonly ok: true; readonly reply: ReceivedReply } | { readonly ok: false; readonly verdict: Verdict };

export function createRegistration(parts: RegistrationParts): Registration {
  const { workspaceId, client, identities, clock, log } = parts;
  let identity: RelayIdentity | undefined;
  let endsAt: number | undefined;
  let registered = false;
  let running: Promise<Verdict | undefined> | undefined;
  let cancelReport = (): void => {};

  const register = async (): Promise<Verdict | undefined> => {
    try {
      const current = await identities.current();
      if (current.certificate !== identity?.certificate) identity = await useIdentity(current);
      const outcome = await onboard(current);
      if (!outcome.ok) return outcome.verdict;
      registered = true;
      log.info({ workspaceId, agentId: current.agentId }, 'registered with the workspace');
      planReport(outcome.reply.topologyIntervalS);
      parts.onRegistered?.();
      return undefined;
    } catch (error) {
      return { outcome: 'retry', scope: 'workspace', reason: `registration: ${messageOf(error)}` };
    }
  };

  const useIdentity = async (next: RelayIdentity): Promise<RelayIdentity> => {
    client.useIdentity(next);
    endsAt = new X509Certificate(next.certificate).validToDate.getTime();
    return next;
  };

  const onboard = async (as: RelayIdentity): Promise<Outcome> => {
    const body = topologyBody(as);
    const key = Buffer.from(await parts.sharedKey(), 'base64');
    return postTopology(body, onboardingHeaders(workspaceId, key, Buffer.from(body), new Date(clock.now()).toISOString().replace('Z', '+00:00')));
  };

  const postTopology = async (body: string, headers: Readonly<Record<string, string>>): Promise<Outcome> => {
    const reached = await client.post(parts.serviceUrl + TOPOLOGY_PATH, { ...headers, 'user-agent': parts.userAgent, 'content-type': 'application/xml' }, body);
    return outcomeOf(reached, clock.now());
  };

  const topologyBody = (as: RelayIdentity): string =>
    writeTopologyRequest({ hostName: hostname(), agentId: as.agentId, certificate: fromPem(as.certificate), operatingSystem: 'Relay 1' });

  const planReport = (seconds: number): void => {
    cancelReport();
    cancelReport = clock.after(
      seconds * 1000,
      () => void report(seconds).catch((error: unknown) => log.warn({ workspaceId, reason: messageOf(error) }, 'a report to the workspace failed')),
    );
  };

  const report = async (seconds: number): Promise<void> => {
    planReport(seconds);
    if (!identity || !registered) return;
    const outcome = await postTopology(topologyBody(identity), {});
    if (!outcome.ok) return;
    planReport(outcome.reply.topologyIntervalS);
    // Asked or not: one that ends makes every batch wait for a new registration.
    if (outcome.reply.renewCertificate || clock.now() >= renewalDue(new X509Certificate(identity.certificate)))
      await renew(identity, outcome.reply.renewalAddress);
  };

  // The new certificate counts once the workspace knows it (§2.3); until then the old one stays on disk and in use.
  const renew = async (current: RelayIdentity, address: string): Promise<void> => {
    const next = await identities.next(current.agentId);
    const reached = await client.post(
      address,
      { 'content-type': 'application/xml', 'user-agent': parts.userAgent },
      writeRenewalRequest(fromPem(next.certificate)),
    );
    if (!reached.reached || reached.answer.status !== 200) {
      log.warn(
        { workspaceId, reason: reached.reached ? `HTTP ${reached.answer.status}` : reached.reason },
        'the workspace did not take our new certificate; the old one stays in use',
      );
      return;
    }
    await identities.keep(next);
    identity = await useIdentity(next);
    log.info({ workspaceId }, 'our certificate for the workspace was renewed');
  };

  return {
    async ensure() {
      if (registered) return undefined;
      running ??= register().finally(() => {
        running = undefined;
      });
      return await running;
    },
    forget() {
      registered = false;
    },
    certificateEndsAt: () => endsAt,
    close() {
      cancelReport();
    },
  };
}

function outcomeOf(reached: Reached, now: number): Outcome {
  if (!reached.reached) return { ok: false, verdict: { outcome: 'retry', scope: 'workspace', reason: `registration: ${reached.reason}` } };
  const { answer } = reached;
  const reply = answer.status === 200 ? readTopologyReply(answer.text) : undefined;
  if (reply) return { ok: true, reply };
  const verdict = answer.status === 200 ? undefined : classify(answer, now);
  if (verdict?.outcome === 'retry') return { ok: false, verdict: { ...verdict, reason: `registration: ${verdict.reason}` } };
  return { ok: false, verdict: { outcome: 'retry', scope: 'workspace', reason: `registration: HTTP ${answer.status} without a topology reply` } };
}
