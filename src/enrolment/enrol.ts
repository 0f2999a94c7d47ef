import type { AgentState } from '../management-group/agent.ts';
import { approvalOf } from '../management-group/approval.ts';
import type { AgentGroup } from '../management-group/groups.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import type { ManagementGroupOptions } from '../management-group/options.ts';
import { checkOnboarding, type OnboardingAttempt, type OnboardingRefusal } from '../oms-protocol/onboarding.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { KnownAgents } from './options.ts';

export interface EnrolParts {
  readonly group: ManagementGroup;
  readonly approve: ManagementGroupOptions['approve'];
  readonly groups?: readonly AgentGroup[];
  readonly knownAgents?: KnownAgents;
  /** Whether the relay serves this workspace. */
  readonly serves: (workspaceId: WorkspaceId) => boolean;
}

/** A machine that became an agent, or was one already. */
export interface Enrolment {
  readonly accepted: true;
  readonly workspaceId: WorkspaceId;
  readonly agentId: string;
  readonly hostName: string;
  readonly state: AgentState;
}

/**
 * Onboards a machine: checks its request and enters it with its certificate. A new one is approved by a rule or waits; a known one keeps
 * its state, so a suspended machine cannot come back by onboarding again.
 */
export function enrol(
  { group, approve, groups, knownAgents = 'refuse', serves }: EnrolParts,
  attempt: Omit<OnboardingAttempt, 'keysOf'> & { readonly version?: string | undefined },
): Enrolment | OnboardingRefusal {
  const { registry, enrolmentKeys } = group;
  const { version } = attempt;
  // The keys are looked up for a workspace that is not served, too: the time taken must not tell which are.
  const keysOf = (workspaceId: WorkspaceId): ReturnType<typeof enrolmentKeys.usable> => {
    const usable = enrolmentKeys.usable(workspaceId);
    return serves(workspaceId) ? usable : [];
  };
  const checked = checkOnboarding({ ...attempt, keysOf });
  if (!checked.accepted) return checked;
  const { workspaceId, keyId, request, certificate } = checked;
  const { agentId, hostName, operatingSystem } = request;
  // Else whoever has the key, and knows the id, could take its place.
  const known = registry.certificatesOf({ workspaceId, agentId });
  const isItself = known.some(({ fingerprint }) => fingerprint === certificate.fingerprint) || known.every(({ notAfter }) => notAfter < attempt.now);
  if (knownAgents === 'refuse' && !isItself) {
    return {
      accepted: false,
      reason: 'AgentKnown',
      message: `Agent ${agentId} has another certificate, which is still valid. If this is the same machine, set up anew: relay agents remove ${agentId}, and onboard again.`,
    };
  }
  const approval = approvalOf({ hostName, enrolmentKeyName: enrolmentKeys.nameOf(keyId), workspaceId }, approve, groups);
  const state = approval === undefined ? 'pending' : 'approved';
  const stateReason = approval ?? `waits for: relay agents approve ${agentId}`;
  const entered = registry.enrol({ workspaceId, agentId, hostName, operatingSystem, version, certificate, enrolmentKeyId: keyId, state, stateReason });
  if (!entered) {
    return {
      accepted: false,
      reason: 'CertificateMismatch',
      message: 'This certificate belongs to another agent, or to this one in the workspace it was moved to. Delete it on this machine and onboard again.',
    };
  }
  enrolmentKeys.countUse(keyId);
  return { accepted: true, workspaceId, agentId, hostName, state: registry.find(certificate.fingerprint)?.agent.state ?? state };
}
