/** What a sender's configuration is written from. */
export interface SenderFacts {
  readonly name: string;
  readonly clientId: string;
  readonly workspaceId: string;
  /** The newest one that is good. */
  readonly secret: string;
  /** The relay's own domain; senders of the Data Collector API reach it at `<workspace>.ods.<domain>`. */
  readonly domain: string;
  readonly port: number;
  /** Undefined while syslog is not taken. */
  readonly syslogPort: number | undefined;
  /** The immutable id that the sender may name as its data collection rule. */
  readonly ruleId: string;
  /** The roots that sign the relay's certificate, in PEM. */
  readonly roots: string;
}

/** A configuration of one kind of sender, ready to be used. */
export interface SenderConfiguration {
  /** As it is called on the command line. */
  readonly kind: string;
  /** For the help: which program, by which protocol. */
  readonly about: string;
  /** Whether it shows the sender's secret. */
  readonly showsSecret: boolean;
  write(facts: SenderFacts, roots: string): string;
}

/** The Log-Type, stream or table that the examples send to. */
export const EXAMPLE_TABLE = 'RelayTest';

/** Where HTTPS senders reach the relay. */
export function baseUrl({ domain, port }: SenderFacts): string {
  return port === 443 ? `https://${domain}` : `https://${domain}:${port}`;
}
