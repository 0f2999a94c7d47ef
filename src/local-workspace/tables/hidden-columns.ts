/** Columns that a table keeps for itself: no query sees them, and no sender's field can have their names. */
import type { Column } from './column.ts';

/** The place of the staged entry that brought the row, and the row's place within it: together they name a row for good. */
export const SEQ: Column = { name: '$seq', type: 'long' };
export const ROW: Column = { name: '$row', type: 'int' };
/** Whose data it is, under which name of a data type it came, and whether it came straight from its agent. */
export const AGENT: Column = { name: '$agent', type: 'guid' };
export const DATA_TYPE: Column = { name: '$dataType', type: 'string' };

export const HIDDEN_COLUMNS: readonly Column[] = [SEQ, ROW, AGENT, DATA_TYPE];

/** Kept as columns of their own; TenantId, Type and _ItemId are made of the tag and the place when they are read. */
export const KEPT_COMMON_COLUMNS: readonly Column[] = [
  { name: 'TimeGenerated', type: 'datetime' },
  { name: '_TimeReceived', type: 'datetime' },
  { name: 'Computer', type: 'string' },
  { name: 'MG', type: 'guid' },
];
