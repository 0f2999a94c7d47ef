/**
 * Certificate renewal: by EST, which gives a certificate of the management group's authority, else as the OMS protocol does (§2.3), which
 * gives a self-signed one. The old pair stays, on disk and in use, until the relay has answered a topology request made with the
 * new one: whatever fails before that, the agent is who it was.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createAgentIdentity, createPrivateKeyPem, type Identity } from '../authority/agent-identity.ts';
import { renewalDue } from '../authority/authority.ts';
import { readCertsOnly } from '../authority/certs-only.ts';
import { createSigningRequest } from '../authority/signing-request.ts';
import { fromPem, toPem } from '../authority/x509.ts';
import { EST_RENEW_PATH } from '../check-in/est-paths.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { writeRenewalRequest } from '../oms-protocol/topology-request.ts';
import { type AgentSettings, writeIdentity } from './agent-folder.ts';
import type { Connection } from './connection.ts';
import { readRefusal } from './refusal.ts';
import type { RelayLink } from './relay-link.ts';
import { checkIn, serviceHeaders } from './topology.ts';

const CERTIFICATE_DAYS = 90;
const MAX_WHY = 300;

export interface RenewalOptions {
  readonly folder: string;
  readonly settings: AgentSettings;
  readonly link: RelayLink;
  /** Name and version. */
  readonly operatingSystem: string;
  readonly clock: Clock;
}

/** `unknown`: the relay has no EST. */
export type Renewal = { readonly outcome: 'renewed' } | { readonly outcome: 'unknown' } | { readonly outcome: 'kept'; readonly why: string };

/** What should happen to a certificate now: `adopt` one of the management group's in a self-signed one's place, or renew it at two thirds of its life. */
export function certificateNeed(certificate: string, nowMs: number): 'none' | 'adopt' | 'renew' {
  const parsed = new X509Certificate(certificate);
  if (nowMs >= renewalDue(parsed)) return 'renew';
  // Not checkIssued: OpenSSL says no for a certificate that may not sign others.
  return parsed.issuer === parsed.subject ? 'adopt' : 'none';
}

/** Makes a new key pair and has the relay accept it; keeps the old pair when anything fails. Throws only when the new pair cannot be written. */
export async function renewCertificate(options: RenewalOptions): Promise<Renewal> {
  const byEst = await adoptCertificate(options);
  return byEst.outcome === 'unknown' ? await renewSelfSigned(options) : byEst;
}

/** The same by EST alone. */
export async function adoptCertificate(options: RenewalOptions): Promise<Renewal> {
  const issued = await issuedByEst(options);
  if ('outcome' in issued) return issued;
  return await takeOver(options, issued, options.link.open(issued));
}

async function renewSelfSigned(options: RenewalOptions): Promise<Renewal> {
  const { settings, link, clock } = options;
  const identity = await createAgentIdentity(settings.workspaceId, settings.agentId, clock.now(), CERTIFICATE_DAYS);
  const why = await announced(options, identity);
  return why === undefined ? await takeOver(options, identity, link.open(identity)) : { outcome: 'kept', why };
}

async function takeOver(options: RenewalOptions, identity: Identity, candidate: Connection): Promise<Renewal> {
  const { folder, link } = options;
  const why = await proven(options, identity, candidate);
  if (why !== undefined) {
    await link.drop(candidate);
    return { outcome: 'kept', why };
  }
  await writeIdentity(folder, identity);
  link.replace(identity, candidate);
  return { outcome: 'renewed' };
}

async function issuedByEst({ settings, link, clock }: RenewalOptions): Promise<Identity | Renewal> {
  const privateKey = await createPrivateKeyPem();
  const body = createSigningRequest(privateKey, settings.agentId).toString('base64');
  const headers = { ...serviceHeaders(clock.now()), 'content-type': 'application/pkcs10', 'content-transfer-encoding': 'base64' };
  try {
    const answer = await link.post(EST_RENEW_PATH, headers, body);
    if (answer.status === 404) return { outcome: 'unknown' };
    if (answer.status !== 200) return { outcome: 'kept', why: `the relay gave no new certificate: ${answer.status}: ${answer.text.slice(0, MAX_WHY)}` };
    const mine = readCertsOnly(Buffer.from(answer.text, 'base64'))?.find((der) => new X509Certificate(der).checkPrivateKey(createPrivateKey(privateKey)));
    return mine ? { certificate: toPem(mine), privateKey } : { outcome: 'kept', why: 'the relay answered without a certificate for the new key' };
  } catch (thrown) {
    return { outcome: 'kept', why: messageOf(thrown) };
  }
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
