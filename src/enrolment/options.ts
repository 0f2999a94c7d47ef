import { duration, oneOf, wholeNumber } from '../option-kinds.ts';
import { type Kind, option, type Schema, section } from '../options.ts';

/** All in milliseconds. */
export interface EnrolmentOptions {
  /** How far an agent's clock may be off, either way. */
  readonly clockSkew: number;
  /** How often agents are told to send a topology request. */
  readonly topologyInterval: number;
  /** How often agents are told to send telemetry. */
  readonly telemetryInterval: number;
  /** Of the certificates that agents are given. An agent is asked to renew at two thirds of this or of its certificate's own life, whichever is sooner. */
  readonly certificateLife: number;
  /** How long a certificate is accepted after its agent has renewed it. */
  readonly oldCertificateGrace: number;
  /** How long after its end a certificate may still be renewed; 0 refuses that. */
  readonly expiredCertificates: number;
  /** Whether an enrolment key may put another certificate in the place of one that an agent still has. */
  readonly knownAgents: KnownAgents;
  /** A number: attempts to enrol that an address may make in a minute. */
  readonly attemptsPerMinute: number;
  /** A number: bad credentials that an address may bring in a minute. */
  readonly badCredentialsPerMinute: number;
}

export type KnownAgents = 'refuse' | 'replace';

/** `refuse`, which gives 0, or a duration. */
function refuseOr(kind: Kind<number>): Kind<number> {
  return {
    ...kind,
    name: `choice, or ${kind.name}`,
    allowed: `refuse, or ${kind.allowed}`,
    range: `refuse, or ${kind.range}`,
    read: (found) => (found === 'refuse' ? 0 : kind.read(found)),
    write: (value) => (value === 0 ? 'refuse' : kind.write(value)),
  };
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
    "Life of the certificates that agents are given; an agent is asked to renew at two thirds of it, or of its certificate's own life, whichever is sooner.",
  ),
  oldCertificateGrace: option(duration({ from: '0s', to: '90d' }), '7d', 'How long the old certificate is accepted after a renewal.'),
  expiredCertificates: option(
    refuseOr(duration({ from: '1m', to: '3650d' })),
    'refuse',
    'How long after its end a certificate may still be renewed, for agents that were away; nothing else is taken with it.',
  ),
  knownAgents: option(
    oneOf(['refuse', 'replace']),
    'refuse',
    'What becomes of a machine that enrols under the id of an agent whose certificate is still valid, with another certificate. An enrolment key is shared by many machines: replace lets each of them take the place of any.',
  ),
  attemptsPerMinute: option(
    wholeNumber(10, 1_000_000),
    1_000,
    'Attempts to enrol that an address may make in a minute; more get 429 until the minute is over. Many machines may share an address.',
  ),
  badCredentialsPerMinute: option(
    wholeNumber(1, 1_000),
    10,
    'Wrong enrolment keys, tokens and signatures that an address may bring in a minute; more get 429 until the minute is over.',
  ),
});
