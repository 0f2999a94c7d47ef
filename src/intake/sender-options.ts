import { address, duration, flag, listeningPort, size, wholeNumber } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

/** The protocols of senders that are no agents of Log Analytics. */
export interface SenderOptions {
  readonly dataCollector: boolean;
  readonly logsIngestion: boolean;
  /** Bytes on the wire of one call of the Logs Ingestion API. */
  readonly logsIngestionMaxSize: number;
  readonly otlp: boolean;
  /** Milliseconds that a sender's token is good. */
  readonly tokenLife: number;
  /** Milliseconds that the clock of a sender that signs may be off, either way. */
  readonly clockSkew: number;
  readonly syslog: SyslogOptions;
}

export interface SyslogOptions {
  readonly enabled: boolean;
  /** The IP address to listen on. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly maxConnections: number;
  /** Bytes of one message. */
  readonly maxMessageSize: number;
  /** Milliseconds that a message waits for others. */
  readonly batchEvery: number;
  /** Bytes of records that make a batch at once. */
  readonly batchSize: number;
  /** Milliseconds that a connection is kept on which nothing comes. */
  readonly idleTimeout: number;
}

const syslog = section<SyslogOptions>({
  enabled: option(flag, false, 'Whether syslog over TLS (RFC 5425) is taken.'),
  address: option(address, '0.0.0.0', 'Where syslog is taken; :: takes IPv6 and IPv4.'),
  port: option(listeningPort, 6514, 'The port of syslog over TLS; 0 takes a free one.'),
  maxConnections: option(wholeNumber(1, 100_000), 2_000, 'Connections of syslog senders at the same time.'),
  maxMessageSize: option(size({ from: '2KiB', to: '1MiB' }), '64KiB', 'The longest message; what is longer is cut there, and counted.'),
  batchEvery: option(duration({ from: '10ms', to: '1m' }), '1s', 'How long a message waits for others, before they are kept as one batch.'),
  batchSize: option(size({ from: '4KiB', to: '4MiB' }), '256KiB', 'So many bytes of records are kept as one batch at once.'),
  idleTimeout: option(duration({ from: '10s', to: '7d' }), '1d', 'How long a connection is kept on which nothing comes.'),
});

export const senderOptions: Schema<SenderOptions> = section<SenderOptions>({
  dataCollector: option(flag, true, 'Whether the HTTP Data Collector API is answered (POST /api/logs).'),
  logsIngestion: option(flag, true, 'Whether the Logs Ingestion API is answered (POST /dataCollectionRules/…).'),
  logsIngestionMaxSize: option(
    size({ from: '64KiB', to: '64MiB' }),
    '1MiB',
    "The largest call of the Logs Ingestion API, on the wire. 1 MiB is the service's own limit; the relay can take more, since it fills requests anew.",
  ),
  otlp: option(flag, true, 'Whether logs by OpenTelemetry (OTLP/HTTP) are taken (POST /v1/logs).'),
  tokenLife: option(duration({ from: '5m', to: '1d' }), '1h', "How long a sender's access token is good."),
  clockSkew: option(duration({ from: '1m', to: '24h' }), '15m', 'How far the clock of a sender of the Data Collector API may be off.'),
  syslog,
});
