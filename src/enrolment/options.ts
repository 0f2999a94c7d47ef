import { duration } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

/** All in milliseconds. */
export interface EnrolmentOptions {
  /** How far an agent's clock may be off, either way. */
  readonly clockSkew: number;
  /** How often agents are told to send a topology request. */
  readonly topologyInterval: number;
  /** How often agents are told to send telemetry. */
  readonly telemetryInterval: number;
  /** An agent is asked to renew at two thirds of this or of its certificate's own life, whichever is sooner. */
  readonly certificateLife: number;
  /** How long a certificate is accepted after its agent has renewed it. */
  readonly oldCertificateGrace: number;
}

export const enrolmentOptions: Schema<EnrolmentOptions> = section<EnrolmentOptions>({
  clockSkew: option(duration({ from: '1m', to: '24h' }), '15m', "How far an agent's clock may be off when it enrols."),
  // The agent ignores intervals outside these bounds (wire protocol §1.7).
  topologyInterval: option(
    duration({ from: '1m', to: '7d' }),
    '20m',
    'How often agents report themselves: how soon they learn that a certificate must be renewed.',
  ),
  telemetryInterval: option(duration({ from: '1m', to: '1h' }), '5m', 'How often agents report how they fare.'),
  certificateLife: option(
    duration({ from: '1m', to: '3650d' }),
    '90d',
    "An agent is asked to renew its certificate at two thirds of this, or of the certificate's own life, whichever is sooner.",
  ),
  oldCertificateGrace: option(duration({ from: '0s', to: '90d' }), '7d', 'How long the old certificate is accepted after a renewal.'),
});
