import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { CHOSEN_PROMETHEUS } from './datasource.ts';
import { PROCESS, WORKSPACE } from './selectors.ts';

/** Seconds below which two samples belong to the same event; above Prometheus's usual scrape interval. */
const STEP = '60s';

/** What happened, marked on every graph: Grafana shows the times at which a value is above 0. */
export function annotations(): readonly AnnotationQueryBuilder[] {
  return [
    annotation('Outages', 'orange', `1 - relay_upstream_up{${WORKSPACE}}`)
      .titleFormat('{{workspace}} out of reach')
      .textFormat('Data waits in the cache of {{instance}}.')
      .tagKeys('workspace'),
    // Here the value is the time, in the milliseconds that Grafana counts in.
    annotation('Restarts', 'blue', `process_start_time_seconds{${PROCESS}} * 1000`)
      .useValueForTime(true)
      .titleFormat('{{instance}} started')
      .textFormat('Counters begin at 0 again; what was cached is still there.')
      .tagKeys('instance'),
    annotation('Alerts', 'red', 'ALERTS{alertname=~"Relay.*", alertstate="firing"}')
      .titleFormat('{{alertname}}')
      .textFormat('{{severity}} {{instance}} {{workspace}}')
      .tagKeys('severity,workspace'),
  ];
}

function annotation(name: string, color: string, expr: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder().name(name).datasource(CHOSEN_PROMETHEUS).enable(true).hide(false).iconColor(color).expr(expr).step(STEP);
}
