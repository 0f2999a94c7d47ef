import { type Attention, sentenceOf } from '../control/attention.ts';

const MARKS = { act: 'ACT ', look: 'LOOK' } as const;

/** What needs attention, a line each, `most` at most; one line when nothing does. */
export function attentionLines(attention: readonly Attention[], most: number): string[] {
  if (attention.length === 0) return ['Nothing needs attention.'];
  const shown = attention.slice(0, most).map((one) => `${MARKS[one.severity]}  ${sentenceOf(one)}`);
  const rest = attention.length - shown.length;
  return rest === 0 ? shown : [...shown, `      and ${rest} more: relay status --json`];
}
