/** What the Query API takes and gives at most (the service's documented limits, and our own where it documents none). */

/** Rows of one answer. */
export const MAX_ROWS = 500_000;

/** Bytes of one answer, not compressed. */
export const MAX_ANSWER_BYTES: number = 100 * 1024 * 1024;

/** Bytes of a request's body. Ours: a long detection rule has some 50,000. */
export const MAX_BODY_BYTES: number = 1024 * 1024;

/** Characters of a query. Ours. */
export const MAX_QUERY_CHARS = 500_000;

/** A body that takes longer to come is refused. */
export const BODY_TIMEOUT_MS = 30_000;

/** How long a query may run, in seconds, where `Prefer: wait` does not say, and at most. */
export const DEFAULT_WAIT_S = 180;
export const MAX_WAIT_S = 600;

/** Of one user. */
export const MAX_REQUESTS = 200;
export const REQUEST_WINDOW_MS = 30_000;
export const MAX_RUNNING = 5;
export const MAX_QUEUED = 200;
export const QUEUE_TIMEOUT_MS = 180_000;

/** Characters of a query that the audit log keeps. */
export const MAX_AUDITED_CHARS = 1_000;

/** Characters of a saved query, of its name and of its description. */
export const MAX_SAVED_CHARS = 100_000;
export const MAX_NAME_CHARS = 128;
export const MAX_DESCRIPTION_CHARS = 2_000;
