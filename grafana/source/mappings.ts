import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { ALL_ANSWER_VALUE } from './workspace-state.ts';

function values(texts: Readonly<Record<string, { readonly text: string; readonly color: string }>>): ValueMapping[] {
  const options = Object.fromEntries(Object.entries(texts).map(([value, result], index) => [value, { ...result, index }]));
  return [{ type: MappingType.ValueToText, options }];
}

export const YES_OR_NO: readonly ValueMapping[] = values({ 1: { text: 'yes', color: 'green' }, 0: { text: 'NO', color: 'red' } });

export const EXACT_OR_NOT: readonly ValueMapping[] = values({ 0: { text: 'exact', color: 'green' } });

/** For times that make sense only while a workspace is away. */
export const ALL_ANSWER: readonly ValueMapping[] = values({ [ALL_ANSWER_VALUE]: { text: 'all answer', color: 'green' } });

export const VERIFIED_OR_REFUSED: readonly ValueMapping[] = values({ 1: { text: 'verified', color: 'green' }, 0: { text: 'refused', color: 'red' } });

/** Of `relay_upstream_up - relay_upstream_held + 10 * relay_cache_paused`. */
export const WORKSPACE_STATE: readonly ValueMapping[] = values({
  1: { text: 'in reach', color: 'green' },
  0: { text: 'out of reach', color: 'orange' },
  '-1': { text: 'held', color: 'red' },
  11: { text: 'paused', color: 'blue' },
  10: { text: 'paused, out of reach', color: 'purple' },
  9: { text: 'paused, held', color: 'dark-purple' },
});
