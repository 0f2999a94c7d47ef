/** Who may send, who is silent, and by which certificates all are known. */
export const AGENTS = {
  enrolments: {
    type: 'counter',
    name: 'relay_enrolments_total',
    unit: 'requests',
    labels: ['outcome'],
    help: 'Requests to enrol, by outcome: accepted, pending, renewed, or the reason of the refusal.',
  },
  agents: { type: 'gauge', name: 'relay_agents', unit: 'agents', labels: ['workspace', 'state'], help: 'Agents by state: pending, approved, suspended.' },
  agentsSilent: {
    type: 'gauge',
    name: 'relay_agents_silent',
    unit: 'agents',
    labels: ['workspace'],
    help: 'Approved agents that nothing was heard of for longer than metrics.silentAfter.',
  },
  agentsLagging: {
    type: 'gauge',
    name: 'relay_agents_lagging',
    unit: 'agents',
    labels: ['workspace', 'behind'],
    help: 'Approved agents from which no data came for longer than behind says: 5m, 15m, 1h, 6h, 1d. Each counts in every row that it is beyond.',
  },
  agentLastSeen: {
    type: 'gauge',
    name: 'relay_agent_last_seen_timestamp_seconds',
    unit: 'seconds',
    labels: ['workspace', 'agent'],
    help: 'When approved agents were last heard of, in seconds since 1970: those that have been silent for longest, metrics.topAgents of them at most.',
  },
  certificateExpiry: {
    type: 'gauge',
    name: 'relay_certificate_expiry_timestamp_seconds',
    unit: 'seconds',
    labels: ['role', 'workspace'],
    help: 'When a certificate ends, in seconds since 1970. role: server (what agents see), root (the one that signs now), agents (the first to end among those of approved agents that are heard of), upstream (the relay’s own at a workspace).',
  },
  auditEntries: {
    type: 'counter',
    name: 'relay_audit_entries_total',
    unit: 'entries',
    labels: ['result'],
    help: 'Entries of the audit log, by what came of the action: done, refused, failed.',
  },
  auditFailures: {
    type: 'counter',
    name: 'relay_audit_failures_total',
    unit: 'entries',
    labels: [],
    help: 'Entries of the audit log that could not be written. The actions took place: look at the disk.',
  },
} as const;
