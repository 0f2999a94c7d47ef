/** BullMQ's own words for where an entry of the index is: `prioritized` is the backlog, `failed` must stay empty. */
export const INDEX_STATES = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const;
export type IndexState = (typeof INDEX_STATES)[number];
