/** Words that begin something in Kusto's language, and nothing here: an error says so, instead of taking them for a slip of the pen. */

export const UNSUPPORTED_OPERATORS: ReadonlySet<string> = new Set([
  ...[
    'as',
    'consume',
    'evaluate',
    'facet',
    'find',
    'fork',
    'graph-match',
    'invoke',
    'lookup',
    'macro-expand',
    'make-graph',
    'make-series',
    'mv-apply',
    'mv-expand',
  ],
  ...[
    'parse',
    'parse-kv',
    'parse-where',
    'partition',
    'project-reorder',
    'reduce',
    'sample',
    'sample-distinct',
    'scan',
    'search',
    'serialize',
    'top-hitters',
    'top-nested',
  ],
]);

export const UNSUPPORTED_BEGINNINGS: ReadonlySet<string> = new Set([
  'alias',
  'datatable',
  'declare',
  'externaldata',
  'find',
  'pattern',
  'range',
  'restrict',
  'search',
  'set',
]);
