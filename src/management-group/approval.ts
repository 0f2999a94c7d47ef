import type { ApprovalRule, ManagementGroupOptions } from './options.ts';

/** What an approval rule looks at. */
export interface Applicant {
  readonly hostName: string;
  readonly enrolmentKeyName: string;
}

/** Whether a machine that enrols is approved at once, and by what; undefined when an operator must decide. */
export function approvalOf(applicant: Applicant, approve: ManagementGroupOptions['approve']): string | undefined {
  if (approve === 'none') return undefined;
  if (approve === 'all') return 'approved by rule: all';
  const rule = approve.find((candidate) => matches(candidate, applicant));
  return rule && `approved by rule: ${describe(rule)}`;
}

function matches(rule: ApprovalRule, applicant: Applicant): boolean {
  const hostFits = rule.hostName === undefined || matchesPattern(applicant.hostName, rule.hostName);
  const keyFits = rule.enrolmentKey === undefined || rule.enrolmentKey === applicant.enrolmentKeyName;
  return hostFits && keyFits;
}

function describe(rule: ApprovalRule): string {
  return [rule.hostName && `host name ${rule.hostName}`, rule.enrolmentKey && `enrolment key ${rule.enrolmentKey}`].filter(Boolean).join(', ');
}

/** Whether a host name fits a pattern in which `*` stands for any characters and `?` for one; case does not matter. Takes time linear in both for each `*`. */
export function matchesPattern(hostName: string, pattern: string): boolean {
  const name = hostName.toLowerCase();
  const wanted = pattern.toLowerCase();
  let at = 0;
  let wantedAt = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    if (wanted[wantedAt] === '*') {
      star = wantedAt++;
      starAt = at;
    } else if (wanted[wantedAt] === '?' || wanted[wantedAt] === name[at]) {
      at += 1;
      wantedAt += 1;
    } else if (star >= 0) {
      wantedAt = star + 1;
      at = ++starAt;
    } else return false;
  }
  return [...wanted.slice(wantedAt)].every((character) => character === '*');
}
