import { path, secretFile, text, wholeNumber } from '../option-kinds.ts';
import { option, optional, type Schema, section } from '../options.ts';

export interface TracingOptions {
  /** Address of an OTLP/HTTP collector for traces; no traces without. */
  readonly endpoint?: string | undefined;
  /** Of so many batches one is traced. */
  readonly oneIn: number;
  /** File with a bearer token for the collector. */
  readonly tokenFile?: string | undefined;
  /** File with the authorities (PEM) that the collector is verified by. */
  readonly trustFile?: string | undefined;
}

const collector = text('address', 'an http or https address such as http://127.0.0.1:4318/v1/traces, without user and password', (value) => {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
});

export const tracingOptions: Schema<TracingOptions> = section<TracingOptions>({
  endpoint: optional(
    collector,
    'none',
    'Where traces of batches are sent (OTLP over HTTP): receive, seal, store, index, send. Without it there are none, and nothing is spent on them.',
  ),
  oneIn: option(
    wholeNumber(1, 1_000_000),
    100,
    'Of so many batches one is traced; which, is known by its id, so that all relays on its way and all starts agree.',
  ),
  tokenFile: optional(secretFile, 'none', 'File with a bearer token for the collector, mode 0600. A changed file takes effect at once.'),
  trustFile: optional(path, "the system's", 'File with the authorities (PEM) that the collector is verified by.'),
});
