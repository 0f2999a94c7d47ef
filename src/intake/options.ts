import { address, duration, listeningPort, size, wholeNumber } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

export interface IntakeOptions {
  /** The IP address to listen on. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Bytes of an upload once inflated. */
  readonly maxInflatedSize: number;
  readonly maxConnections: number;
  /** Milliseconds from the connection, or the request before, until all headers are there. */
  readonly headersTimeout: number;
  /** Milliseconds until the whole body is there. */
  readonly bodyTimeout: number;
  /** Milliseconds a connection is kept without a request. */
  readonly idleTimeout: number;
  /** Milliseconds for the TLS handshake. */
  readonly handshakeTimeout: number;
  /** Milliseconds that the address for uploading a log file is valid. */
  readonly blobAddressLife: number;
}

export const intakeOptions: Schema<IntakeOptions> = section<IntakeOptions>({
  address: option(address, '0.0.0.0', 'Where agents are served; :: takes IPv6 and IPv4.'),
  port: option(listeningPort, 8443, 'The port agents connect to; 0 takes a free one.'),
  maxInflatedSize: option(size({ from: '1MiB', to: '1GiB' }), '32MiB', 'The largest upload accepted, once inflated.'),
  maxConnections: option(wholeNumber(1, 1_000_000), 10_000, 'Connections of agents at the same time.'),
  headersTimeout: option(duration({ from: '100ms', to: '10m' }), '20s', "How long a request's headers may take."),
  bodyTimeout: option(duration({ from: '100ms', to: '1h' }), '60s', "How long a request's body may take."),
  idleTimeout: option(duration({ from: '100ms', to: '1h' }), '75s', 'How long a connection without requests is kept.'),
  handshakeTimeout: option(duration({ from: '100ms', to: '10m' }), '20s', 'How long a TLS handshake may take.'),
  blobAddressLife: option(duration({ from: '1s', to: '1d' }), '10m', 'How long the address given to an agent for uploading a log file is valid.'),
});
