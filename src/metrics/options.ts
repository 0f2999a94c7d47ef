import { address, duration, flag, listeningPort, wholeNumber } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

export interface MetricsOptions {
  /** The IP address to listen on. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** After which an approved agent counts as silent, in milliseconds. */
  readonly silentAfter: number;
  /** How many agents of each workspace are named. */
  readonly topAgents: number;
  readonly countRecords: boolean;
}

export const metricsOptions: Schema<MetricsOptions> = section<MetricsOptions>({
  address: option(address, '127.0.0.1', 'Where metrics and health are served, without TLS or sign-in: keep it to the management network.'),
  port: option(listeningPort, 9464, 'The port of metrics and health; 0 takes a free one.'),
  silentAfter: option(duration({ from: '1m', to: '7d' }), '15m', 'After how long an approved agent counts as silent that nothing was heard of.'),
  topAgents: option(wholeNumber(0, 100), 10, 'How many agents of each workspace are named in metrics: those that have been silent for longest.'),
  countRecords: option(
    flag,
    false,
    'Counts the records of what was acknowledged, afterwards and in a thread of its own. It costs processor time: every body is opened and read.',
  ),
});
