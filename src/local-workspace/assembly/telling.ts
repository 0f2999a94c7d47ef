/** Turns what the parts tell into incidents: which kind, about what, in which words. */

import type { IncidentEvent } from '../../incidents/event.ts';
import type { Source } from '../../incidents/incident.ts';
import type { AccessEvent } from '../access/access-event.ts';
import type { EngineEvent } from '../engine/operations.ts';
import { CONTENT_MISMATCH } from '../intake/content-digest.ts';
import type { KeyEvent } from '../keys/key-event.ts';
import type { RetentionEvent } from '../retention/retention-event.ts';
import type { MetRefusal } from '../service.ts';
import type { ReplicaEvent } from './replicating.ts';

const CERTIFICATE_REFUSALS = new Set([
  'MissingCertificate',
  'UnknownCertificate',
  'CertificateExpired',
  'CertificateMismatch',
  'AgentNotLetIn',
  'InvalidWorkspaceKey',
  'NotRegistered',
]);

/** For what belongs to no workspace, such as wrong tokens. */
const NO_WORKSPACE: Source = sourceOf('00000000-0000-0000-0000-000000000000');

export function incidentOfKey({ kind, workspaceId, detail }: KeyEvent): IncidentEvent | undefined {
  if (kind !== 'key-taken-away' && kind !== 'key-given-back') return undefined;
  const isOver = kind === 'key-given-back';
  const words = isOver ? `The key is there again: ${detail}.` : `New data is refused and queries fail until the key is given back: ${detail}`;
  return { source: sourceOf(workspaceId), kind: 'key-taken-away', subject: 'key', detail: words, isOver };
}

export function incidentOfAccess(event: AccessEvent): IncidentEvent | undefined {
  if (event.kind === 'bad-tokens') {
    return { source: NO_WORKSPACE, kind: 'bad-tokens', subject: event.from, detail: `Tokens that are none of this workspace came from ${event.from}.` };
  }
  if (event.kind !== 'access-approved') return undefined;
  const { workspaceId, requestId, support, role, until, by } = event;
  const detail = `${by} let ${support} in as ${role} until ${new Date(until).toISOString()}.`;
  return { source: sourceOf(workspaceId), kind: 'access-approved', subject: requestId, detail, actor: by };
}

export function incidentOfRetention(event: RetentionEvent): IncidentEvent | undefined {
  const about = { source: sourceOf(event.workspaceId), actor: event.by };
  switch (event.kind) {
    case 'purge-requested':
      return { ...about, kind: 'purge-requested', subject: event.operationId, detail: `Rows of table ${event.table} are to go for good.` };
    case 'table-deletion-requested':
      return { ...about, kind: 'table-deleted', subject: event.table, detail: `Table ${event.table} is to go with all its rows.` };
    case 'lock-lifted':
      return { ...about, kind: 'lock-lifted', subject: 'lock', detail: `The lock was lifted: ${event.reason}` };
    case 'retention-shortened':
      return { ...about, kind: 'retention-shortened', subject: event.what, detail: `It takes effect on ${new Date(event.effectiveAt).toISOString()}.` };
    default:
      return undefined;
  }
}

export function incidentOfEngine(event: EngineEvent): IncidentEvent | undefined {
  const source = sourceOf(event.workspaceId);
  if (event.kind === 'damaged') return { source, kind: 'integrity-failure', subject: event.what, detail: event.reason };
  if (event.kind === 'stuck')
    return { source, kind: 'data-refused', subject: 'processing', detail: `What was taken cannot be put in the tables: ${event.reason}` };
  return undefined;
}

export function incidentOfReplica({ kind, workspaceId, detail }: ReplicaEvent): IncidentEvent {
  const source = sourceOf(workspaceId);
  switch (kind) {
    case 'damaged':
      return { source, kind: 'integrity-failure', subject: 'replica', detail };
    case 'superseded':
      return { source, kind: 'replica-behind', subject: 'replica', severity: 'error', detail };
    default:
      return { source, kind: 'replica-behind', subject: 'replica', detail, isOver: kind === 'in-step' };
  }
}

/** Refusals that are more than a sender's slip. */
export function incidentOfRefusal({ refusal: { status, code, message }, workspaceId, from }: MetRefusal): IncidentEvent | undefined {
  const source = workspaceId ? sourceOf(workspaceId) : NO_WORKSPACE;
  if (status === 503) return { source, kind: 'data-refused', subject: 'intake', detail: message };
  if (code === CONTENT_MISMATCH) return { source, kind: 'integrity-failure', subject: `uploads from ${from}`, detail: message };
  return status === 403 && CERTIFICATE_REFUSALS.has(code) ? { source, kind: 'certificates-refused', subject: from, detail: message } : undefined;
}

export function sourceOf(workspaceId: string): Source {
  return `workspace ${workspaceId}` as Source;
}
