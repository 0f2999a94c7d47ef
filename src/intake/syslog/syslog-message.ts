/** What a message says of itself. Undefined is what it does not say. */
export interface MessageParts {
  /** ISO 8601 in UTC. */
  readonly time?: string | undefined;
  readonly host?: string | undefined;
  readonly ident?: string | undefined;
  readonly processId?: string | undefined;
  readonly messageId?: string | undefined;
  /** As it stands in the message, brackets included. */
  readonly structuredData?: string | undefined;
  readonly message: string;
}

/** By which rules a message could be read; `none` is one without a priority. */
export const MESSAGE_FORMATS = ['rfc5424', 'rfc3164', 'none'] as const;

export interface SyslogMessage extends MessageParts {
  readonly format: (typeof MESSAGE_FORMATS)[number];
  /** The codes of RFC 5424 §6.2.1. */
  readonly facility: number;
  readonly severity: number;
}
