import type { AgentState } from '../management-group/agent.ts';
import { approvalOf } from '../management-group/approval.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import type { ManagementGroupOptions } from '../management-group/options.ts';
import { checkOnboarding, type OnboardingAttempt, type OnboardingRefusal } from '../oms-protocol/onboarding.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

export interface EnrolParts {
  readonly group: ManagementGroup;
  readonly approve: ManagementGroupOptions['approve'];
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
export function enrol({ group, approve, serves }: EnrolParts, attempt: Omit<OnboardingAttempt, 'keysOf'>): Enrolment | OnboardingRefusal {
  const { registry, enrolmentKeys } = group;
  const checked = checkOnboarding({ ...attempt, keysOf: (workspaceId) => (serves(workspaceId) ? enrolmentKeys.usable(workspaceId) : []) });
  if (!checked.accepted) return checked;
  const { workspaceId, keyId, request, certificate } = checked;
  const { agentId, hostName, operatingSystem } = request;
  const approval = approvalOf({ hostName, enrolmentKeyName: enrolmentKeys.nameOf(keyId) }, approve);
  const state = approval === undefined ? 'pending' : 'approved';
  const stateReason = approval ?? `waits for: relay agents approve ${agentId}`;
  const entered = registry.enrol({ workspaceId, agentId, hostName, operatingSystem, certificate, enrolmentKeyId: keyId, state, stateReason });
  if (!entered) {
    return {
      accepted: false,
      reason: 'CertificateMismatch',
      message: 'This certificate belongs to another agent. Delete it on this machine and onboard again.',
    };
  }
  enrolmentKeys.countUse(keyId);
  return { accepted: true, workspaceId, agentId, hostName, state: registry.find(certificate.fingerprint)?.agent.state ?? state };
}
