import { readTokens } from './lexer.ts';

const HIDDEN = /^[hH]/;
const UNREADABLE = /[hH](?:@?["']|```)[\s\S]*/;

/** A query as it may be logged: what stands in hidden strings (`h'…'`) is `***`. Where the text cannot be read, nothing after the first such string is left. */
export function withoutHidden(text: string): string {
  const spans = hiddenSpans(text);
  if (!spans) return text.replace(UNREADABLE, "h'***'");
  return spans.reduceRight((shown, [from, to]) => `${shown.slice(0, from)}h'***'${shown.slice(to)}`, text);
}

function hiddenSpans(text: string): (readonly [from: number, to: number])[] | undefined {
  try {
    const strings = readTokens(text).filter((token) => token.kind === 'string' && HIDDEN.test(token.text));
    return strings.map(({ offset, end }) => [offset, end] as const);
  } catch {
    return undefined;
  }
}
