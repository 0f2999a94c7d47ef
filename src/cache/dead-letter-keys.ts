import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_ID_BYTES, keyIdOf } from '../workspace/seal.ts';
import { readExactly } from './segment-scan.ts';

const FIRST_READ_BYTES = 16 * 1024;

/** The ids of the keys that sealed the dead letters in `folder`, with how many each. Reads the beginning of each letter only. */
export async function keysOfDeadLetters(folder: string): Promise<Map<string, number>> {
  const letters = await readdir(folder, { recursive: true });
  const counts = new Map<string, number>();
  for (const name of letters.filter((each) => /\.(?:letter|leaving-[^/]*)$/.test(each))) {
    const keyId = await keyOfLetter(join(folder, name));
    if (keyId !== undefined) counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
  }
  return counts;
}

async function keyOfLetter(path: string): Promise<string | undefined> {
  // One that left at this moment needs no key any more.
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    for (let length = FIRST_READ_BYTES; ; length *= 4) {
      const head = await readExactly(file, 0, length);
      const end = head.indexOf('\n');
      const sealed = end < 0 ? undefined : head.subarray(end + 1, end + 1 + KEY_ID_BYTES);
      if (sealed?.length === KEY_ID_BYTES) return keyIdOf(sealed);
      if (head.length < length) return undefined;
    }
  } finally {
    await file.close();
  }
}
