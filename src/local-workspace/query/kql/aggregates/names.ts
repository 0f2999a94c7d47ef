/** The aggregates of the language. Apart from their meaning, so that an expression can tell one from a word it does not know. */
export const AGGREGATE_NAMES: ReadonlySet<string> = new Set([
  ...['count', 'countif', 'dcount', 'dcountif', 'count_distinct'],
  ...['sum', 'sumif', 'avg', 'avgif', 'min', 'minif', 'max', 'maxif', 'stdev', 'stdevif', 'variance', 'varianceif'],
  ...['percentile', 'percentiles', 'arg_max', 'arg_min', 'take_any', 'any', 'make_set', 'make_list'],
]);
