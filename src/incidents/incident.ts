import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { IncidentKind } from './kinds.ts';

/** Where it happened: at the relay itself, or in one workspace. */
export type Source = 'relay' | `workspace ${WorkspaceId}`;

/** How bad, the least first. error: somebody must act; warn: somebody should look; info: it is on record. */
export const SEVERITIES = ['info', 'warn', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The way of an incident, in this order. */
export const STATES = ['detected', 'assessed', 'contained', 'closed'] as const;
export type State = (typeof STATES)[number];

/** The name of an incident, such as `INC-0007`: short enough to be said over the telephone. */
export type IncidentId = `INC-${string}`;

/** Something that went wrong, as it is now. All times are milliseconds since 1970. */
export interface Incident {
  readonly id: IncidentId;
  readonly source: Source;
  readonly kind: IncidentKind;
  /** What it is about within its kind: a table, a key's id, a kind of data. Source, kind and subject make two reports one incident. */
  readonly subject: string;
  readonly severity: Severity;
  readonly state: State;
  readonly stateSince: number;
  /** What happened, the last time. */
  readonly detail: string;
  /** How often it happened, and how often already when it was opened. */
  readonly count: number;
  readonly firstCount: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** When people were last sent a notice of it; undefined when they were not. */
  readonly toldAt?: number | undefined;
  /** The closed incident of the same source, kind and subject that came before it. */
  readonly earlier?: IncidentId | undefined;
}

/** What the lines of a time line tell. */
export const ENTRY_KINDS = ['detected', 'repeated', 'over', 'assessed', 'contained', 'closed', 'sent', 'not-sent', 'given-up'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** One line of an incident's time line. Lines are only ever added. */
export interface TimelineEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `system`, or the name of a person. */
  readonly who: string;
  readonly what: EntryKind;
  readonly text: string;
}

/** An incident with all that is known of it. */
export interface IncidentRecord {
  readonly incident: Incident;
  /** The oldest first. */
  readonly timeline: readonly TimelineEntry[];
}

/** Who did what nobody had to do. */
export const SYSTEM = 'system';

/** The name of the incident with this number (1 or more). */
export function incidentId(number: number): IncidentId {
  return `INC-${String(number).padStart(4, '0')}`;
}

/** The number in a name as people write it (`INC-0007`, `inc-7`, `7`); undefined when it is none. */
export function readIncidentNumber(text: string): number | undefined {
  const [, digits] = /^(?:inc-?)?(\d{1,9})$/i.exec(text.trim()) ?? [];
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits);
}

/** Whether one severity is another's, or worse. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
}
