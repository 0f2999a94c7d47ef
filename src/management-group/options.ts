import { oneOf, text } from '../option-kinds.ts';
import { check, type Kind, optional, required, type Schema, section, sections, wordOrSections } from '../options.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import type { AgentGroup } from './groups.ts';

/** Approves a machine that fits everything the rule names; it names at least one thing. */
export interface ApprovalRule {
  /** Pattern for the machine's host name: `*` stands for any characters, `?` for one; case does not matter. */
  readonly hostName?: string | undefined;
  /** Name of the enrolment key the machine enrolled with. */
  readonly enrolmentKey?: string | undefined;
  /** Name of a group the machine is in. */
  readonly group?: string | undefined;
}

export interface ManagementGroupOptions {
  /** Which machines are approved at once; the others wait for an operator. */
  readonly approve: 'none' | 'all' | readonly ApprovalRule[];
  /** Agents that belong together. */
  readonly groups: readonly AgentGroup[];
}

const pattern = text('pattern', 'a host name pattern such as web-*.example.org', (value) => /^[a-z0-9._*?-]{1,253}$/i.test(value));
const groupName = text('text', 'the name of a group: 1 to 64 letters, digits, dots, underscores or hyphens', (value) => /^[A-Za-z0-9._-]{1,64}$/.test(value));
const workspaceGuid: Kind<WorkspaceId> = {
  ...text('GUID', 'a workspace id, a GUID such as 3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'),
  read: (found) => (typeof found === 'string' ? readWorkspaceId(found) : undefined),
};

const rule: Schema<ApprovalRule> = check(
  section<ApprovalRule>({
    hostName: optional(pattern, 'any', 'Host names the rule approves; * stands for any characters, ? for one.'),
    enrolmentKey: optional(text('text', 'the name of an enrolment key'), 'any', 'Name of the enrolment key the machine must have used.'),
    group: optional(groupName, 'any', 'Name of a group the machine must be in.'),
  }),
  {
    at: [],
    isGood: (found) => found.hostName !== undefined || found.enrolmentKey !== undefined || found.group !== undefined,
    problem: () => 'found an empty rule; it needs hostName, enrolmentKey, group or several of them',
  },
);

const group: Schema<AgentGroup> = section<AgentGroup>({
  name: required(groupName, 'What to call the group.'),
  match: required(pattern, 'Host names and display names of its agents; * stands for any characters, ? for one.'),
  workspace: optional(workspaceGuid, 'any', 'Only agents of this workspace.'),
});

export const managementGroupOptions: Schema<ManagementGroupOptions> = check(
  check(
    section<ManagementGroupOptions>({
      approve: wordOrSections(oneOf(['none', 'all']), rule, {
        items: 'rules',
        byDefault: 'none',
        meaning: 'Which machines are approved when they enrol; the others wait for an operator.',
      }),
      groups: sections(group),
    }),
    {
      at: ['groups'],
      isGood: ({ groups }) => doubled(groups).length === 0,
      problem: ({ groups }) => `found several groups named ${doubled(groups).join(', ')}; each needs a name of its own`,
    },
  ),
  {
    at: ['approve'],
    isGood: (found) => unknownGroups(found).length === 0,
    problem: (found) => `found rules for ${unknownGroups(found).join(', ')}; managementGroup.groups has no group of that name`,
  },
);

// Checks run whatever else is wrong: what could not be read is no list.
function namesOf(groups: unknown): unknown[] {
  return Array.isArray(groups) ? groups.map((one: Partial<AgentGroup> | undefined) => one?.name) : [];
}

function doubled(groups: unknown): unknown[] {
  return namesOf(groups).filter((name, at, all) => name !== undefined && all.indexOf(name) !== at);
}

function unknownGroups({ approve, groups }: ManagementGroupOptions): unknown[] {
  const names = namesOf(groups);
  const wanted = Array.isArray(approve) ? (approve as readonly ApprovalRule[]).map((one) => one?.group) : [];
  return wanted.filter((name) => name !== undefined && !names.includes(name));
}
