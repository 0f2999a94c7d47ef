import { fromPem } from '../authority/x509.ts';
import type { Clock } from '../clock.ts';
import { TOPOLOGY_PATH } from '../oms-protocol/paths.ts';
import { type ReceivedReply, readTopologyReply } from '../oms-protocol/topology-reply.ts';
import { writeTopologyRequest } from '../oms-protocol/topology-request.ts';
import type { AgentId } from '../workspace/workspace-id.ts';
import { USER_AGENT } from './agent-version.ts';
import type { Answer, Connection } from './connection.ts';
import { type Refusal, readRefusal } from './refusal.ts';

/** How a topology request ended. `known`: the relay knows this certificate and said how to go on. */
export type CheckIn = { readonly outcome: 'known'; readonly reply: ReceivedReply } | ({ readonly outcome: 'refused' } & Refusal);

export interface TopologyFacts {
  readonly hostName: string;
  readonly agentId: AgentId;
  /** PEM of the certificate this request is about, the one of its TLS connection. */
  readonly certificate: string;
  /** Name and version. */
  readonly operatingSystem: string;
}

/** The body of a topology request about this agent (§1.6). */
export function topologyBody(facts: TopologyFacts): string {
  return writeTopologyRequest({ ...facts, certificate: fromPem(facts.certificate) });
}

/** The headers of every AgentService request (§2.1). */
export function serviceHeaders(nowMs: number): Record<string, string> {
  return { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': USER_AGENT, 'x-ms-date': new Date(nowMs).toISOString() };
}

/** Tells the relay that this agent is here (the protocol's "heartbeat", §2.1). Throws `relay.agent.unreachable`. */
export async function checkIn(connection: Connection, facts: TopologyFacts, clock: Clock): Promise<CheckIn> {
  return readCheckIn(await connection.post(TOPOLOGY_PATH, serviceHeaders(clock.now()), topologyBody(facts)));
}

/** Reads the answer to a topology request or an onboarding: exactly 200 with all items, or a refusal. */
export function readCheckIn(answer: Answer): CheckIn {
  if (answer.status !== 200) return { outcome: 'refused', ...readRefusal(answer) };
  const reply = readTopologyReply(answer.text);
  if (reply) return { outcome: 'known', reply };
  const message = `The answer is no LinuxAgentTopologyResponse: ${answer.text.slice(0, 80)}`;
  return { outcome: 'refused', status: 200, reason: 'UnusableReply', message };
}
