import { readCertificate } from '../authority/x509.ts';
import type { Agent, AgentCertificate } from '../management-group/agent.ts';
import type { Registry } from '../management-group/registry.ts';
import { readRenewalRequest } from '../oms-protocol/topology-request.ts';

/** What became of a renewal (wire protocol §2.3). */
export type Renewal = { readonly renewed: true } | { readonly renewed: false; readonly message: string };

/**
 * Enters an agent's new certificate beside its old one. The names in it must be the agent's own: nobody renews into another's place. An agent
 * that was moved may go on naming the workspace it enrolled for, which is all it knows.
 */
export function renew(registry: Registry, agent: Agent, body: Buffer): Renewal {
  const der = readRenewalRequest(body);
  const certificate = der && readCertificate(der);
  if (!certificate) return { renewed: false, message: 'The body is not a CertificateUpdateRequest with a certificate in NewCertificate.' };
  const [workspace, name] = certificate.commonNames.map((one) => one.toLowerCase());
  const isItsWorkspace = workspace === agent.workspaceId || (workspace !== undefined && workspace === agent.movedFrom);
  if (!isItsWorkspace || name !== agent.agentId) {
    return { renewed: false, message: `The new certificate's names are not workspace ${agent.movedFrom ?? agent.workspaceId} and agent ${agent.agentId}.` };
  }
  if (!registry.addCertificate(agent, certificate)) return { renewed: false, message: 'The new certificate belongs to another agent.' };
  return { renewed: true };
}

/**
 * Whether the certificate presented should be renewed: two thirds into its life, or into `lifeMs` when that is shorter. It looks at the
 * certificate of this very request: an agent that has just renewed must hear no, or it renews without pause.
 */
export function isRenewalDue(certificate: Pick<AgentCertificate, 'notBefore' | 'notAfter'>, now: number, lifeMs: number): boolean {
  const life = Math.min(certificate.notAfter - certificate.notBefore, lifeMs);
  return now >= certificate.notBefore + (life * 2) / 3;
}
