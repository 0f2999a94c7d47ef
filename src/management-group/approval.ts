import { type AgentGroup, groupsOf } from './groups.ts';
import type { ApprovalRule, ManagementGroupOptions } from './options.ts';
import { matchesPattern } from './pattern.ts';

/** What an approval rule looks at. */
export interface Applicant {
  readonly hostName: string;
  readonly enrolmentKeyName: string;
  /** The workspace it enrols for, which some groups are of. */
  readonly workspaceId?: string | undefined;
}

/** Whether a machine that enrols is approved at once, and by what; undefined when an operator must decide. */
export function approvalOf(applicant: Applicant, approve: ManagementGroupOptions['approve'], groups: readonly AgentGroup[] = []): string | undefined {
  if (approve === 'none') return undefined;
  if (approve === 'all') return 'approved by rule: all';
  const { hostName, workspaceId = '' } = applicant;
  const member = groupsOf({ hostName, displayName: undefined, workspaceId }, groups);
  const rule = approve.find((candidate) => matches(candidate, applicant, member));
  return rule && `approved by rule: ${describe(rule)}`;
}

function matches({ hostName, enrolmentKey, group }: ApprovalRule, applicant: Applicant, member: readonly string[]): boolean {
  const hostFits = hostName === undefined || matchesPattern(applicant.hostName, hostName);
  const keyFits = enrolmentKey === undefined || enrolmentKey === applicant.enrolmentKeyName;
  return hostFits && keyFits && (group === undefined || member.includes(group));
}

function describe({ hostName, enrolmentKey, group }: ApprovalRule): string {
  return [hostName && `host name ${hostName}`, enrolmentKey && `enrolment key ${enrolmentKey}`, group && `group ${group}`].filter(Boolean).join(', ');
}
