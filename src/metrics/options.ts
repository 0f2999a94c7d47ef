import { address, duration, flag, listeningPort, secretFile, text, wholeNumber } from '../option-kinds.ts';
import { check, option, optional, type Schema, section } from '../options.ts';

export interface MetricsOptions {
  /** The IP address to listen on. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls: boolean;
  /** With `passwordFile`: whom metrics are shown (basic). */
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  /** A token that metrics are shown for (bearer). */
  readonly tokenFile?: string | undefined;
  /** After which an approved agent counts as silent, in milliseconds. */
  readonly silentAfter: number;
  /** How many agents of each workspace are named. */
  readonly topAgents: number;
  readonly countRecords: boolean;
}

const fields = section<MetricsOptions>({
  address: option(
    address,
    '127.0.0.1',
    'Where metrics and health are served: keep it to the management network. Anybody who reaches it may ask for health; for metrics too, unless passwordFile or tokenFile is set.',
  ),
  port: option(listeningPort, 9464, 'The port of metrics and health; 0 takes a free one.'),
  tls: option(
    flag,
    false,
    "Whether they are served over TLS (1.2 or later), with the certificate that agents see. It changes without a restart, as the agents' does.",
  ),
  user: optional(
    text('name', 'a user name without a colon', (value) => !value.includes(':')),
    'none',
    'As whom Prometheus signs in to read metrics (basic); with passwordFile.',
  ),
  passwordFile: optional(secretFile, 'none', "File with that user's password, mode 0600. A changed file takes effect at once."),
  tokenFile: optional(
    secretFile,
    'none',
    'File with a token for which metrics are shown (bearer), mode 0600. A changed file takes effect at once. Beside a user, either will do.',
  ),
  silentAfter: option(duration({ from: '1m', to: '7d' }), '15m', 'After how long an approved agent counts as silent that nothing was heard of.'),
  topAgents: option(wholeNumber(0, 100), 10, 'How many agents of each workspace are named in metrics: those that have been silent for longest.'),
  countRecords: option(
    flag,
    false,
    'Counts the records of what was acknowledged, afterwards and in a thread of its own. It costs processor time: every body is opened and read.',
  ),
});

export const metricsOptions: Schema<MetricsOptions> = check(fields, {
  at: ['passwordFile'],
  isGood: ({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined),
  problem: ({ user }) => (user === undefined ? 'found a password without a user; give both or neither' : 'missing; user and passwordFile go together'),
});
