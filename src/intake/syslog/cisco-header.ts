/** What Cisco's devices write before `%FACILITY-SEVERITY-MNEMONIC:`. A message whose beginning is not wholly understood is none of theirs. */
import { type FoundTime, readBsdTime } from './event-time.ts';
import { matchAt } from './match-at.ts';

export interface CiscoHeader {
  /** Such as `%LINK-3-UPDOWN`. */
  readonly ident: string;
  readonly sequence: string | undefined;
  readonly host: string | undefined;
  readonly time: string | undefined;
  /** Where the message begins: at the mnemonic, or at the uptime before it. */
  readonly end: number;
}

const BEGINNING = /[^%]{0,200}/y;
const MNEMONIC = /(%[A-Z][A-Z0-9_]{0,63}(?:-\w{1,32}){0,4}-[0-7]-[A-Z0-9_]{1,64}): ?/y;
const COLON = /:? ?/y;
const SEQUENCE = /(\d{1,10}): /y;
const ORIGIN = /([A-Za-z][\w.-]{0,254}): /y;
// `*`: the clock was never set; `.`: it was, and is not in step now.
const YEAR = /[*.]?(?:(\d{4}) (?=[A-Z]))?/y;
const ZONE_AND_COLON = /(?: ([A-Z]{1,5}))?: /y;
const UPTIME = /(?:\d\d:\d\d:\d\d|(?:\d{1,3}[ywdh]){1,3}): /y;

/** Reads such a beginning: `237: sw1: *Nov 28 10:11:12.345 UTC: %LINK-3-UPDOWN: …`, of which all but the mnemonic may be missing. */
export function readCiscoHeader(text: string, from: number, receivedAt: number): CiscoHeader | undefined {
  matchAt(BEGINNING, text, from);
  const begin = BEGINNING.lastIndex;
  const ident = text[begin] === '%' ? matchAt(MNEMONIC, text, begin)?.[1] : undefined;
  if (ident === undefined) return undefined;
  let at = from;
  const skip = (expression: RegExp): string | undefined => {
    const found = matchAt(expression, text, at);
    if (found) at = expression.lastIndex;
    return found?.[1];
  };
  skip(COLON);
  const sequence = skip(SEQUENCE);
  const host = skip(ORIGIN);
  const clock = readClock(text, at, receivedAt);
  if (clock) at = clock.end;
  const end = at;
  skip(UPTIME);
  return at === begin ? { ident, sequence, host, time: clock?.time, end } : undefined;
}

function readClock(text: string, from: number, receivedAt: number): FoundTime | undefined {
  const year = matchAt(YEAR, text, from)?.[1];
  const begin = YEAR.lastIndex;
  const clock = readBsdTime(text, begin, receivedAt);
  const behind = clock && matchAt(ZONE_AND_COLON, text, clock.end);
  if (!behind) return undefined;
  const time = readBsdTime(text, begin, receivedAt, behind[1], year === undefined ? undefined : Number(year))?.time;
  return { time, end: ZONE_AND_COLON.lastIndex };
}
