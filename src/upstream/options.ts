import { duration, size, wholeNumber } from '../option-kinds.ts';
import { option, optional, type Schema, section } from '../options.ts';

export interface UpstreamOptions {
  /** Groups offered at the same time, per workspace. */
  readonly groupsInFlight: number;
  /** Bytes offered in a second at most, per workspace. */
  readonly maxRate?: number | undefined;
  /** Connections, per workspace. */
  readonly connections: number;
  /** Milliseconds for TCP and TLS. */
  readonly connectTimeout: number;
  /** Milliseconds from the request until its whole answer. */
  readonly requestTimeout: number;
  /** Milliseconds that a certificate the relay makes for a workspace is valid. */
  readonly certificateLife: number;
}

export const upstreamOptions: Schema<UpstreamOptions> = section<UpstreamOptions>({
  groupsInFlight: option(wholeNumber(1, 256), 8, 'Groups of batches offered to a workspace at the same time.'),
  maxRate: optional(
    size({ from: '1KiB', to: '100GiB' }),
    'none',
    'What is sent to a workspace in a second at most, as it came over the wire; for narrow lines.',
  ),
  connections: option(wholeNumber(1, 256), 16, 'Connections kept to a workspace.'),
  connectTimeout: option(duration({ from: '100ms', to: '5m' }), '10s', 'How long connecting may take, TLS included.'),
  requestTimeout: option(duration({ from: '100ms', to: '1h' }), '60s', 'How long a request may take until it is answered.'),
  certificateLife: option(
    duration({ from: '1m', to: '3650d' }),
    '90d',
    'Life of the certificate by which the relay is known to a workspace; renewed at two thirds of it.',
  ),
});
