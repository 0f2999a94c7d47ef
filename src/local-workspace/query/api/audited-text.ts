import { MAX_AUDITED_CHARS } from './limits.ts';

/** The strings of the query language. One without an end goes as far as its line, or the text where it may have several lines. */
const STRINGS = [
  '@"(?:[^"]|"")*(?:"|$)',
  "@'(?:[^']|'')*(?:'|$)",
  String.raw`"(?:[^"\\\n]|\\[^\n])*(?:"|\\?(?=\n|$))`,
  String.raw`'(?:[^'\\\n]|\\[^\n])*(?:'|\\?(?=\n|$))`,
  '```.*?(?:```|$)',
  '~~~.*?(?:~~~|$)',
];
/** Comments and strings one after another, so that a quote inside of one does not begin another. The group is the `h` of a hidden string. */
const PIECES = new RegExp(String.raw`//[^\n]*|(h?)(?:${STRINGS.join('|')})`, 'gis');

/** What the audit log keeps of a query: its first 1,000 characters. Strings that the author hid (`h"…"`, which Kusto hides in its logs too) are struck out. */
export function auditedText(text: string): string {
  // Struck out ahead of the cut, so that a cut string cannot show.
  const shown = text.replaceAll(PIECES, (piece: string, hidden: string | undefined) => (hidden ? "h'***'" : piece));
  return [...shown.slice(0, 2 * MAX_AUDITED_CHARS)].slice(0, MAX_AUDITED_CHARS).join('');
}
