import type { SupportText } from '../../control/api.ts';
import type { Part } from '../part.ts';
import type { BundleSite } from '../site.ts';

/** What Prometheus would be given at this moment. */
export function metricsPart({ relay }: BundleSite): Part {
  return {
    file: 'metrics.txt',
    what: 'all metrics as Prometheus reads them; names of agents that are silent for longest are in it',
    gather: async () => (relay.runs ? { text: (await relay.get<SupportText>('/support/metrics')).text } : { leftOut: relay.reason }),
  };
}
