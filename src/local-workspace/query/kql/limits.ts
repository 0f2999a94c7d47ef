/** What keeps a query's text and state bounded. All are far above what people write. */

/** Brackets within brackets, and operators within expressions. */
export const MAX_DEPTH = 100;

/** Tabular operators of a query, each use of a `let` counted again. */
export const MAX_OPERATORS = 500;

/** Characters of one text that a function makes (Kusto's own limit is 1 MiB). */
export const MAX_TEXT_CHARS = 1_048_576;

/** Characters of all texts that one expression makes for one batch of rows. */
export const MAX_BATCH_CHARS = 67_108_864;

/** Bytes of state that a query may hold unless its caller says otherwise. */
export const DEFAULT_STATE_BYTES = 268_435_456;

/** Rows that an operator hands on at a time when it makes rows itself. */
export const BATCH_ROWS = 65_536;

/** Characters of a regular expression. */
export const MAX_REGEX_CHARS = 1_000;

/** Steps of a compiled regular expression: each character of a text may look at all of them. */
export const MAX_REGEX_STEPS = 2_000;

/** Elements of one make_list() or make_set() (Kusto's own default). */
export const MAX_LIST_ELEMENTS = 1_048_576;
