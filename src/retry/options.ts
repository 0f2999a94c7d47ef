import { duration } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

export interface RetryOptions {
  /** Milliseconds between tries. */
  readonly every: number;
  /** Milliseconds from the first failure until data counts as held. */
  readonly window: number;
}

export const retryOptions: Schema<RetryOptions> = section<RetryOptions>({
  every: option(duration({ from: '100ms', to: '1d' }), '8m', 'How often a workspace that cannot be reached is tried.'),
  window: option(
    duration({ from: '100ms', to: '30d' }),
    '2h',
    'How long after the first failure data counts as held: it stays, the tries go on, and agents that can queue are asked to.',
  ),
});
