/** What the thread that opens bodies is asked, and what it answers. */
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { ContentEncoding } from '../batch/batch.ts';
import { findRecords, type RecordPlaces } from '../batch/records.ts';
import { messageOf } from '../errors.ts';

/** `ticket` names an opened body until it is closed. */
export type RecordTask =
  | { readonly task: 'open'; readonly ticket: number; readonly body: Uint8Array; readonly encoding: ContentEncoding; readonly maxBytes: number }
  | { readonly task: 'part'; readonly ticket: number; readonly from: number; readonly to: number }
  | { readonly task: 'close'; readonly ticket: number };

export type RecordReply =
  | { readonly reply: 'opened'; readonly records: number }
  | { readonly reply: 'unreadable'; readonly reason: string }
  | { readonly reply: 'part'; readonly body: Uint8Array }
  | { readonly reply: 'closed' };

/** Does one task after another. */
export type RecordDesk = (task: RecordTask) => RecordReply;

interface OpenedBody {
  readonly json: Buffer;
  readonly places: RecordPlaces;
  readonly encoding: ContentEncoding;
}

/** Keeps opened bodies inflated, and cuts parts out of them. */
export function createRecordDesk(): RecordDesk {
  const opened = new Map<number, OpenedBody>();

  const open = ({ ticket, body, encoding, maxBytes }: Extract<RecordTask, { task: 'open' }>): RecordReply => {
    try {
      const json = decode(body, encoding, maxBytes);
      const records = findRecords(json);
      if (!records.found) return { reply: 'unreadable', reason: records.reason };
      opened.set(ticket, { json, places: records.places, encoding });
      return { reply: 'opened', records: records.places.starts.length };
    } catch (error) {
      return { reply: 'unreadable', reason: messageOf(error) };
    }
  };

  return (task) => {
    if (task.task === 'open') return open(task);
    const body = opened.get(task.ticket);
    if (task.task === 'part') return body ? { reply: 'part', body: cut(body, task.from, task.to) } : { reply: 'unreadable', reason: 'the body is not open' };
    opened.delete(task.ticket);
    return { reply: 'closed' };
  };
}

function decode(body: Uint8Array, encoding: ContentEncoding, maxBytes: number): Buffer {
  if (encoding === 'deflate') return inflateSync(body, { maxOutputLength: maxBytes });
  if (encoding === 'gzip') return gunzipSync(body, { maxOutputLength: maxBytes });
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

// A part is coded as the whole was: what upstream takes from this sender is known.
function cut({ json, places: { starts, ends }, encoding }: OpenedBody, from: number, to: number): Buffer {
  const part = Buffer.concat([json.subarray(0, starts[0]), json.subarray(starts[from], ends[to - 1]), json.subarray(ends.at(-1))]);
  if (encoding === 'deflate') return deflateSync(part);
  return encoding === 'gzip' ? gzipSync(part) : part;
}
