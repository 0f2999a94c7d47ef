import type { KeyObject } from 'node:crypto';
import type { Authority } from '../../authority/authority.ts';
import { type CertificateFacts, readCertificate } from '../../authority/x509.ts';
import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';
import type { Agent } from '../../management-group/agent.ts';
import type { ManagementGroup } from '../../management-group/management-group.ts';

const DAY_MS = 86_400_000;
/** An agent that goes on asking would fill the disk. */
const MOST_IN_A_DAY = 100;

export interface IssueParts {
  readonly group: ManagementGroup;
  readonly authority: Pick<Authority, 'issueAgent' | 'rootFingerprint'>;
  /** Milliseconds that a certificate lasts. */
  readonly certificateLifeMs: number;
  /** Where the list of revoked certificates is, if certificates shall name it. */
  readonly revocationListAddress?: string | undefined;
  readonly clock: Clock;
}

export interface Issued {
  readonly der: Buffer;
  readonly facts: CertificateFacts;
}

/** Issues a certificate from the agent's record and keeps its serial. Throws `relay.enrolment.too-often` after a hundred in a day. */
export function issue({ group, authority, certificateLifeMs, revocationListAddress, clock }: IssueParts, agent: Agent, publicKey: KeyObject): Issued {
  const { workspaceId, agentId } = agent;
  const lately = group.issued.countSince(agent, clock.now() - DAY_MS);
  if (lately >= MOST_IN_A_DAY) {
    throw new RelayError('relay.enrolment.too-often', `Agent ${agentId} got ${lately} certificates within a day. Look why it does not use the last one.`);
  }
  const { der, serial } = authority.issueAgent({ workspaceId, agentId, publicKey, lifeMs: certificateLifeMs, revocationListAddress });
  const facts = readCertificate(der);
  if (!facts) throw new RelayError('relay.internal', `The certificate just issued to agent ${agentId} cannot be read.`);
  group.issued.note({ fingerprint: facts.fingerprint, serial, issuer: authority.rootFingerprint, workspaceId, agentId, notAfter: facts.notAfter });
  return { der, facts };
}
