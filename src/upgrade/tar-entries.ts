import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';

/** One entry of an archive: its header, and its bytes. */
export interface Entry extends AsyncIterable<Buffer> {
  readonly header: { readonly name: string; readonly type?: string; readonly size?: number; readonly mode?: number };
}

/** Reads a tar archive from one end to the other, an entry at a time; `take` reads each entry to its end. Rejects with the first thing that went wrong. */
export async function eachEntry(source: Readable, take: (entry: Entry) => Promise<void>): Promise<void> {
  const archive = extract();
  const fed = pipeline(source, archive);
  try {
    for await (const entry of archive) await take(entry as unknown as Entry);
  } catch (cause) {
    source.destroy();
    await fed.catch(() => {});
    throw cause;
  }
  await fed;
}

/** The whole of a small entry; throws when it has more than `mostBytes`. */
export async function contentOf(entry: Entry, mostBytes: number): Promise<Buffer> {
  const { name, size = 0 } = entry.header;
  if (size > mostBytes) throw new Error(`${name} has ${size} bytes, at most ${mostBytes} are believed`);
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk);
  return Buffer.concat(chunks);
}
