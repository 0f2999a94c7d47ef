import { address, listeningPort } from '../option-kinds.ts';
import { option, type Schema, section } from '../options.ts';

export interface MetricsOptions {
  /** The IP address to listen on. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export const metricsOptions: Schema<MetricsOptions> = section<MetricsOptions>({
  address: option(address, '127.0.0.1', 'Where metrics and health are served, without TLS or sign-in: keep it to the management network.'),
  port: option(listeningPort, 9464, 'The port of metrics and health; 0 takes a free one.'),
});
