import { WORKSPACE } from './selectors.ts';

/** One figure for each workspace's state, which `WORKSPACE_STATE` of the mappings puts into words. */
export const WORKSPACE_STATE_QUERY: string = `relay_upstream_up{${WORKSPACE}} - relay_upstream_held{${WORKSPACE}} + 10 * relay_cache_paused{${WORKSPACE}}`;

/** What the two times below give while every workspace answers: no time can be this. */
export const ALL_ANSWER_VALUE = -1_000_000;

/** Seconds that are left of the retry window of the workspace that has least of it, among those that are away. */
export const RETRY_WINDOW_QUERY: string = whileAway(`min(relay_retry_window_remaining_seconds{${WORKSPACE}} and (relay_upstream_up{${WORKSPACE}} == 0))`);

/** Seconds until the next try of any workspace that is away. */
export const NEXT_TRY_QUERY: string = whileAway(`min((relay_upstream_next_try_timestamp_seconds{${WORKSPACE}} > 0) - time())`);

function whileAway(expr: string): string {
  return `${expr} or vector(${ALL_ANSWER_VALUE})`;
}
