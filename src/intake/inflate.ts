import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import type { ContentEncoding } from '../batch/batch.ts';
import { RelayError } from '../errors.ts';

const gunzipped = promisify(gunzip);
const inflated = promisify(inflate);

/** A body's bytes without their encoding. Throws `relay.intake.too-large` past `maxBytes`, and `relay.intake.bad-encoding` for bytes that are not so encoded. */
export async function inflateBody(body: Buffer, encoding: ContentEncoding, maxBytes: number): Promise<Buffer> {
  if (encoding === 'identity') {
    if (body.length > maxBytes) throw tooLarge(maxBytes);
    return body;
  }
  try {
    return await (encoding === 'gzip' ? gunzipped : inflated)(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new RelayError('relay.intake.bad-encoding', `The body of ${body.length} bytes is not what Content-Encoding ${encoding} says. Send it again.`, {
      cause,
    });
  }
}

function tooLarge(maxBytes: number): RelayError {
  return new RelayError('relay.intake.too-large', `The body is larger than ${maxBytes} bytes, as sent or once inflated. Send fewer records at a time.`);
}
