import { readIsoTime } from './event-time.ts';
import { matchAt } from './match-at.ts';
import type { MessageParts } from './syslog-message.ts';

const NIL = '-';
const NIL_TIME = /- /y;
// HOSTNAME, APP-NAME, PROCID, MSGID (§6.2.4 to §6.2.7); senders do not keep to their lengths.
const NAMES = / ([!-~]{1,255}) ([!-~]{1,255}) ([!-~]{1,255}) ([!-~]{1,255})(?: |$)/y;
// SD-NAME (§6.3.2).
const ELEMENT_NAME = /\[[^\s=\]"]{1,255}/y;
const PARAMETER_NAME = / +[^\s=\]"]{1,255}="/y;
const BYTE_ORDER_MARK = /^\uFEFF/;

/** Reads a message by RFC 5424 from behind its priority; undefined when its header is another. Structured data that breaks §6.3 stays in the message. */
export function readRfc5424(text: string, from: number): MessageParts | undefined {
  if (!text.startsWith('1 ', from)) return undefined;
  const isNil = matchAt(NIL_TIME, text, from + 2) !== undefined;
  const found = isNil ? { time: undefined, end: from + 3 } : readIsoTime(text, from + 2);
  const names = found && text[found.end] === ' ' ? matchAt(NAMES, text, found.end) : undefined;
  if (!names) return undefined;
  const [host, ident, processId, messageId] = names.slice(1).map((name) => (name === NIL ? undefined : name));
  const header = { time: found?.time, host, ident, processId, messageId };
  const end = NAMES.lastIndex;
  const dataEnd = text[end] === NIL ? end + 1 : endOfStructuredData(text, end);
  if (dataEnd === undefined || (dataEnd < text.length && text[dataEnd] !== ' ')) return { ...header, message: text.slice(end) };
  const structuredData = text[end] === '[' ? text.slice(end, dataEnd) : undefined;
  return { ...header, structuredData, message: text.slice(dataEnd + 1).replace(BYTE_ORDER_MARK, '') };
}

// Elements stand one behind another, without a space between them.
function endOfStructuredData(text: string, from: number): number | undefined {
  let at = from;
  while (text[at] === '[') {
    const end = endOfElement(text, at);
    if (end === undefined) return undefined;
    at = end;
  }
  return at === from ? undefined : at;
}

function endOfElement(text: string, from: number): number | undefined {
  if (!matchAt(ELEMENT_NAME, text, from)) return undefined;
  let at = ELEMENT_NAME.lastIndex;
  while (matchAt(PARAMETER_NAME, text, at)) {
    const end = endOfValue(text, PARAMETER_NAME.lastIndex);
    if (end === undefined) return undefined;
    at = end;
  }
  while (text[at] === ' ') at += 1;
  return text[at] === ']' ? at + 1 : undefined;
}

// Behind the quote that ends it. A bracket within is taken without its backslash too (§6.3.3 wants one).
function endOfValue(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '"') return at + 1;
    if (text[at] === '\\') at += 1;
  }
  return undefined;
}
