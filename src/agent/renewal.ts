/**
 * Certificate renewal (§2.3). The old pair stays, on disk and in use, until the relay has answered a topology request made with the
 * new one: whatever fails before that, the agent is who it was.
 */
import { createAgentIdentity, type Identity } from '../authority/agent-identity.ts';
import { fromPem } from '../authority/x509.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { writeRenewalRequest } from '../oms-protocol/topology-request.ts';
import { type AgentSettings, writeIdentity } from './agent-folder.ts';
import type { Connection } from './connection.ts';
import { readRefusal } from './refusal.ts';
import type { RelayLink } from './relay-link.ts';
import { checkIn, serviceHeaders } from './topology.ts';

const CERTIFICATE_DAYS = 90;

export interface RenewalOptions {
  readonly folder: string;
  readonly settings: AgentSettings;
  readonly link: RelayLink;
  /** Name and version. */
  readonly operatingSystem: string;
  readonly clock: Clock;
}

export type Renewal = { readonly outcome: 'renewed' } | { readonly outcome: 'kept'; readonly why: string };

/** Makes a new key pair and has the relay accept it; keeps the old pair when anything fails. Throws only when the new pair cannot be written. */
export async function renewCertificate(options: RenewalOptions): Promise<Renewal> {
  const { folder, settings, link, clock } = options;
  const identity = await createAgentIdentity(settings.workspaceId, settings.agentId, clock.now(), CERTIFICATE_DAYS);
  const candidate = link.open(identity);
  const why = (await announced(options, identity)) ?? (await proven(options, identity, candidate));
  if (why !== undefined) {
    await candidate.close();
    return { outcome: 'kept', why };
  }
  await writeIdentity(folder, identity);
  link.replace(identity, candidate);
  return { outcome: 'renewed' };
}

// Undefined when the relay took the new certificate, else why not. Only the address's path is used: the relay is where we enrolled.
async function announced({ settings, link, clock }: RenewalOptions, identity: Identity): Promise<string | undefined> {
  try {
    const { pathname, search } = new URL(settings.renewalAddress);
    const answer = await link.post(`${pathname}${search}`, serviceHeaders(clock.now()), writeRenewalRequest(fromPem(identity.certificate)));
    return answer.status === 200 ? undefined : `the relay refused the new certificate: ${sentence(readRefusal(answer))}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

async function proven({ settings, operatingSystem, clock }: RenewalOptions, identity: Identity, candidate: Connection): Promise<string | undefined> {
  try {
    const { hostName, agentId } = settings;
    const result = await checkIn(candidate, { hostName, agentId, certificate: identity.certificate, operatingSystem }, clock);
    return result.outcome === 'known' ? undefined : `the relay did not know the new certificate: ${sentence(result)}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function sentence({ status, reason, message }: { status: number; reason: string; message: string }): string {
  return `${status} ${reason}: ${message}`;
}
