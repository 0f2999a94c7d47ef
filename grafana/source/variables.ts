import { DatasourceVariableBuilder, QueryVariableBuilder, VariableRefresh, VariableSort } from '@grafana/grafana-foundation-sdk/dashboard';
import { CHOSEN_PROMETHEUS } from './datasource.ts';
import { RELAY, WORKSPACE } from './selectors.ts';

/** What all dashboards have: Prometheus, relay, workspace. A link to another dashboard carries the choices over. */
export function commonVariables(): readonly (DatasourceVariableBuilder | QueryVariableBuilder)[] {
  return [
    new DatasourceVariableBuilder('datasource').label('Prometheus').description('The Prometheus that scrapes the relays.').type('prometheus'),
    choice('relay', 'Relay', 'label_values(relay_build_info, instance)', 'By the label instance.'),
    choice('workspace', 'Workspace', `label_values(relay_workspace_info{${RELAY}}, workspace)`, 'By its name.'),
  ];
}

export function kindVariable(): QueryVariableBuilder {
  return choice('kind', 'Kind', `label_values(relay_cache_batches{${WORKSPACE}}, kind)`, 'What a full cache drops first is decided by it.');
}

/** The machines and the Redis servers: other exporters, whose label instance is not the relay's. */
export function machineVariables(): readonly QueryVariableBuilder[] {
  return [
    choice('node', 'Machine', 'label_values(node_boot_time_seconds{job="node"}, instance)', 'By the label instance of node-exporter.'),
    choice('redis', 'Redis', 'label_values(redis_up{job="redis"}, instance)', 'By the label instance of redis-exporter.'),
  ];
}

function choice(name: string, label: string, query: string, description: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(CHOSEN_PROMETHEUS)
    .query({ query, refId: name, qryType: 5 })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}
