import type { KeyObject } from 'node:crypto';
import { agentServicePlugin } from '../enrolment/agent-service.ts';
import { type Attempts, createAttempts } from '../enrolment/attempts.ts';
import { type Issued, issue } from '../enrolment/est/issue.ts';
import { estPlugin } from '../enrolment/est/plugin.ts';
import { REVOCATION_LIST_PATH, revocationListPlugin } from '../enrolment/est/revocation-list-plugin.ts';
import type { PeerCertificate } from '../enrolment/peer.ts';
import { rootsLearntPlugin } from '../enrolment/roots-learnt-plugin.ts';
import { signInPlugin } from '../enrolment/sign-in/plugin.ts';
import { forwardedOr } from '../group/forwarding.ts';
import { peerCertificate } from '../intake/client-certificate.ts';
import type { IntakeServer } from '../intake/server.ts';
import type { Agent } from '../management-group/agent.ts';
import { createRootsLearnt, type RootsLearnt } from '../management-group/roots-learnt.ts';
import type { Building } from './building.ts';
import type { Trust } from './trust.ts';

/** How machines become agents, and agents keep certificates that are good. */
export interface Enrolling {
  /** Serves the AgentService, EST and the revocation list on the agents' listener. */
  register(hapi: IntakeServer['hapi']): Promise<void>;
  /** Issues an agent's certificate and keeps its serial. */
  readonly issue: (agent: Agent, publicKey: KeyObject) => Issued;
  /** Tries to enrol, by address. */
  readonly attempts: Attempts;
  /** The same of senders that sign in: apart, as one that is configured wrongly must keep no machine from enrolling. */
  readonly senderAttempts: Attempts;
  /** DER of the client certificate that a request came with, to this relay or to another of its group. */
  readonly peerCertificate: PeerCertificate;
  /** Which agents have been told of which roots. */
  readonly learnt: RootsLearnt;
}

export function createEnrolling(building: Building, { group, audit, authority, authentication }: Trust): Enrolling {
  const { configuration, clock, component } = building;
  const { domain, enrolment, intake, managementGroup, senders } = configuration;
  const peerOf = forwardedOr(peerCertificate);
  const limits = { now: clock.now, perMinute: enrolment.attemptsPerMinute, badPerMinute: enrolment.badCredentialsPerMinute };
  const senderAttempts = createAttempts(limits);
  const agentService = {
    group,
    approve: managementGroup.approve,
    groups: managementGroup.groups,
    serves: building.serves,
    options: enrolment,
    peerCertificate: peerOf,
    ownHost: domain,
    audit: audit.enter,
    clock,
    attempts: createAttempts(limits),
    metrics: building.metrics,
  };
  const est = {
    ...agentService,
    authority,
    certificateLifeMs: enrolment.certificateLife,
    revocationListAddress: intake.port === 0 ? undefined : `https://${domain}:${intake.port}${REVOCATION_LIST_PATH}`,
    identifying: { ...authentication, expiredGraceMs: enrolment.expiredCertificates },
  };
  const learnt = createRootsLearnt(clock.now);
  return {
    async register(hapi) {
      await hapi.register([
        { plugin: agentServicePlugin, options: { ...agentService, log: component('enrolment') } },
        { plugin: estPlugin, options: { ...est, log: component('enrolment') } },
        { plugin: signInPlugin, options: { ...agentService, attempts: senderAttempts, tokenLifeMs: senders.tokenLife, log: component('enrolment') } },
        { plugin: revocationListPlugin, options: { group, authority, oldCertificateGraceMs: enrolment.oldCertificateGrace, clock } },
        { plugin: rootsLearntPlugin, options: { learnt, registry: group.registry, settings: authentication, peerCertificate: peerOf } },
      ]);
    },
    issue: (agent, publicKey) => issue(est, agent, publicKey),
    attempts: agentService.attempts,
    senderAttempts,
    peerCertificate: peerOf,
    learnt,
  };
}
