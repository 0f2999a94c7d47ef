import { readCiscoHeader } from './cisco-header.ts';
import { readTime } from './event-time.ts';
import { matchAt } from './match-at.ts';
import type { MessageParts } from './syslog-message.ts';

// A host's name or address; a word with a colon behind it, or with brackets, is a tag already.
const HOST = / {1,2}([^\s[\]]{0,254}[^\s:[\]])(?: |$)/y;
const BEFORE_CONTENT = /:? ?/y;
// §4.1.3, with the longer names of today. A colon without a space behind it ends no tag: `CEF:0|…`, `http://…`.
const TAG = /([\w./()@#+$%-]{1,128})(?:\[(\d{1,10})\]:? ?|\[([^\s[\]]{0,128})\]: ?|:(?: |$))/y;

interface Header {
  readonly time: string | undefined;
  readonly host: string | undefined;
  /** Where the content begins. */
  readonly end: number;
}

/** Reads what RFC 3164 found in use, from behind the priority. Any text is such a message: what has no header is all content. */
export function readRfc3164(text: string, from: number, receivedAt: number): MessageParts {
  const header = readHeader(text, text[from] === ' ' ? from + 1 : from, receivedAt) ?? { time: undefined, host: undefined, end: from };
  const cisco = readCiscoHeader(text, header.end, receivedAt);
  if (cisco) {
    const { ident, sequence, end } = cisco;
    // RFC 5424 §7.3.1 has a name for it.
    const structuredData = sequence === undefined ? undefined : `[meta sequenceId="${sequence}"]`;
    return { time: header.time ?? cisco.time, host: header.host ?? cisco.host, ident, structuredData, message: text.slice(end) };
  }
  matchAt(BEFORE_CONTENT, text, header.end);
  const begin = header.end === from ? from : BEFORE_CONTENT.lastIndex;
  const tag = matchAt(TAG, text, begin);
  const message = text.slice(tag ? TAG.lastIndex : begin);
  return { time: header.time, host: header.host, ident: tag?.[1], processId: tag?.[2] ?? tag?.[3], message };
}

function readHeader(text: string, at: number, receivedAt: number): Header | undefined {
  const time = readTime(text, at, receivedAt);
  if (!time) return undefined;
  const host = matchAt(HOST, text, time.end);
  return { time: time.time, host: host?.[1], end: host ? HOST.lastIndex : time.end };
}
