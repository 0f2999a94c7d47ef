import { oneOf, text } from '../option-kinds.ts';
import { check, optional, type Schema, section, wordOrSections } from '../options.ts';

/** Approves a machine that fits everything the rule names; it names at least one thing. */
export interface ApprovalRule {
  /** Pattern for the machine's host name: `*` stands for any characters, `?` for one; case does not matter. */
  readonly hostName?: string | undefined;
  /** Name of the enrolment key the machine enrolled with. */
  readonly enrolmentKey?: string | undefined;
}

export interface ManagementGroupOptions {
  /** Which machines are approved at once; the others wait for an operator. */
  readonly approve: 'none' | 'all' | readonly ApprovalRule[];
}

const rule: Schema<ApprovalRule> = check(
  section<ApprovalRule>({
    hostName: optional(
      text('pattern', 'a host name pattern such as web-*.example.org', (value) => /^[a-z0-9._*?-]{1,253}$/i.test(value)),
      'any',
      'Host names the rule approves; * stands for any characters, ? for one.',
    ),
    enrolmentKey: optional(text('text', 'the name of an enrolment key'), 'any', 'Name of the enrolment key the machine must have used.'),
  }),
  {
    at: [],
    isGood: (found) => found.hostName !== undefined || found.enrolmentKey !== undefined,
    problem: () => 'found an empty rule; it needs hostName, enrolmentKey or both',
  },
);

export const managementGroupOptions: Schema<ManagementGroupOptions> = section<ManagementGroupOptions>({
  approve: wordOrSections(oneOf(['none', 'all']), rule, {
    items: 'rules',
    byDefault: 'none',
    meaning: 'Which machines are approved when they enrol; the others wait for an operator.',
  }),
});
