/** The closed list of what can go wrong. A kind that is added here is known to the store, the notices, the routes and the command line. */
import type { Severity } from './incident.ts';

export const INCIDENT_KINDS = [
  'certificates-refused',
  'integrity-failure',
  'purge-requested',
  'table-deleted',
  'lock-lifted',
  'key-taken-away',
  'data-refused',
  'data-lost',
  'access-approved',
  'bad-tokens',
  'replica-behind',
  'retention-shortened',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

export interface KindFacts {
  /** What stands in a mail's subject. */
  readonly title: string;
  /** What it is unless a report says otherwise. */
  readonly severity: Severity;
  /** One alone is no incident: it takes as many within a time as this threshold of the settings says. */
  readonly threshold?: 'certificatesRefused' | 'badTokens';
}

/** What there is to know of each kind. */
export const KIND_FACTS: Readonly<Record<IncidentKind, KindFacts>> = {
  'certificates-refused': { title: 'certificates refused in number', severity: 'warn', threshold: 'certificatesRefused' },
  'integrity-failure': { title: 'stored data is not as it was written', severity: 'error' },
  'purge-requested': { title: 'purge requested', severity: 'warn' },
  'table-deleted': { title: 'table deleted', severity: 'warn' },
  'lock-lifted': { title: 'lock lifted', severity: 'warn' },
  'key-taken-away': { title: 'key taken away', severity: 'error' },
  'data-refused': { title: 'new data refused', severity: 'error' },
  'data-lost': { title: 'data lost', severity: 'error' },
  'access-approved': { title: 'access to data approved', severity: 'info' },
  'bad-tokens': { title: 'bad tokens in number', severity: 'warn', threshold: 'badTokens' },
  'replica-behind': { title: 'replica behind', severity: 'warn' },
  'retention-shortened': { title: 'retention shortened', severity: 'warn' },
};
