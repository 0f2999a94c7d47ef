import { flag, httpsAddress, oneOf, text, wholeNumber } from '../option-kinds.ts';
import { type Kind, option, optional, required, type Schema, section, sections } from '../options.ts';
import { type SignInOptions, signInOptions } from './sign-in-options.ts';

/** The Logs Ingestion API of a workspace. */
export interface IngestionOptions {
  /** Of the data collection endpoint, or of a direct rule; required with the protocol `logs-ingestion`. */
  readonly endpoint?: string | undefined;
  /** Immutable id of the data collection rule, `dcr-…`; required too. */
  readonly ruleId?: string | undefined;
  /** Which data goes to which stream, before the defaults. */
  readonly streams: readonly StreamOptions[];
  readonly columns: ColumnOptions;
  /** Groups offered at the same time, in place of `upstream.groupsInFlight`: requests are filled from all of them. */
  readonly groupsInFlight: number;
  readonly signIn: SignInOptions;
}

export interface StreamOptions {
  /** Data type or Log-Type, in whatever case. */
  readonly source: string;
  /** `Custom-…` or `Microsoft-…`; `none` parks it. */
  readonly stream: string;
  /** The rule's table is of the auxiliary plan: at most 30 minutes in one request. */
  readonly plan: 'analytics' | 'auxiliary';
}

/** Columns that are added to each record; switchable because a stream that does not declare them drops them. */
export interface ColumnOptions {
  readonly batchId: boolean;
  readonly agent: boolean;
  readonly relay: boolean;
  /** The record's own time, where the service would replace TimeGenerated. */
  readonly originalTime: boolean;
}

/** Immutable ids of data collection rules. */
export const ruleId: Kind<string> = text('rule id', 'the immutable id of a data collection rule, dcr- and 32 hexadecimal digits', (value) =>
  /^dcr-[0-9a-f]{32}$/.test(value),
);
const source = text('data type', 'a data type or Log-Type such as LINUX_SYSLOGS_BLOB', (value) => /^[\w.-]{1,100}$/.test(value));
const stream = text('stream', 'none, or a stream such as Custom-Syslog_CL', (value) => /^(none|(Custom|Microsoft)-[\w-]{1,120})$/.test(value));

/** The section `ingestion` of a workspace. */
export const ingestionOptions: Schema<IngestionOptions> = section<IngestionOptions>({
  endpoint: optional(httpsAddress, 'none', 'Address of the data collection endpoint, or of a direct rule; required with the protocol logs-ingestion.'),
  ruleId: optional(ruleId, 'none', 'Immutable id of the data collection rule (not its name); required with the protocol logs-ingestion.'),
  streams: sections(
    section<StreamOptions>({
      source: required(source, 'A data type or Log-Type.'),
      stream: required(stream, 'The stream it goes to; none parks it.'),
      plan: option(oneOf(['analytics', 'auxiliary']), 'analytics', "Plan of the stream's table: auxiliary ones take no more than 30 minutes in one request."),
    }),
  ),
  columns: section<ColumnOptions>({
    batchId: option(flag, true, 'Adds RelayBatchId to each record.'),
    agent: option(flag, true, 'Adds RelayAgentId to each record.'),
    relay: option(flag, false, "Adds RelayName, the relay's domain, to each record."),
    originalTime: option(flag, true, 'Adds OriginalTime to records whose own time the service would replace (older than two days).'),
  }),
  groupsInFlight: option(wholeNumber(1, 1024), 128, 'Groups of batches worked on at the same time; requests are filled from all of them.'),
  signIn: signInOptions,
});
