import { gunzipSync, inflateSync } from 'node:zlib';
import type { OpenedDeadLetter } from '../control/api.ts';

const MAX_BYTES = 512 * 1024 * 1024;

/** A dead letter's body as the text that it is; undefined when it is not what its encoding says: that may be the very reason it is one. */
export function contentOf({ body, encoding }: Pick<OpenedDeadLetter, 'body' | 'encoding'>): string | undefined {
  const bytes = Buffer.from(body, 'base64');
  try {
    if (encoding === 'deflate') return inflateSync(bytes, { maxOutputLength: MAX_BYTES }).toString();
    if (encoding === 'gzip') return gunzipSync(bytes, { maxOutputLength: MAX_BYTES }).toString();
    return bytes.toString();
  } catch {
    return undefined;
  }
}
