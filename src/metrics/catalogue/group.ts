/** Several relays as one group. All are nothing on a relay that is in none. */
export const GROUP = {
  groupRole: {
    type: 'gauge',
    name: 'relay_group_role',
    unit: 'yes or no',
    labels: ['role'],
    help: 'What the relay is in its group: primary, member, or alone when it is in none.',
  },
  groupCopyAge: {
    type: 'gauge',
    name: 'relay_group_copy_age_seconds',
    unit: 'seconds',
    labels: [],
    help: 'For how long a member has not heard from the primary that its copy is the newest. 0 on the primary.',
  },
  groupMembersUnheard: {
    type: 'gauge',
    name: 'relay_group_members_unheard',
    unit: 'relays',
    labels: [],
    help: 'On the primary: relays of the group that have not answered for a minute.',
  },
  groupForwarded: {
    type: 'counter',
    name: 'relay_group_forwarded_total',
    unit: 'requests',
    labels: ['outcome'],
    help: 'Requests to enrol or renew that a member handed on to the primary: answered, or away when it did not answer.',
  },
} as const;
