import { gunzipSync, inflateSync } from 'node:zlib';
import type { Request } from '@hapi/hapi';
import { MAX_INFLATED_BYTES } from '../intake/uploaded-records.ts';

/** Whether a request's body, inflated, has this text in it. */
export function holdsMarker({ payload, headers }: Request, marker: string): boolean {
  return Buffer.isBuffer(payload) && decode(payload, String(headers['content-encoding'] ?? 'identity')).includes(marker);
}

// A body that is not what it says is refused for that, by those who read it.
function decode(body: Buffer, encoding: string): Buffer {
  const limit = { maxOutputLength: MAX_INFLATED_BYTES };
  try {
    if (encoding === 'deflate') return inflateSync(body, limit);
    return encoding === 'gzip' ? gunzipSync(body, limit) : body;
  } catch {
    return body;
  }
}
