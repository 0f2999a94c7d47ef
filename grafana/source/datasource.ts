import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

/** The Prometheus that is chosen at the head of the dashboard. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana replaces it
export const CHOSEN_PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };
