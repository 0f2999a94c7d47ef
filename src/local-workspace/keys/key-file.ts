/** The form of a customer's key file: one key on a line, `<id> <key>`, the newest first; empty lines and lines that begin with # say nothing. */
import type { WrappingKey } from './wrapping.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const HEX = /^[0-9A-Fa-f]{64}$/;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;
const MOST_KEYS = 1_000;

/** Keys, the newest first; or what is wrong with the file, in words that never show what may be a key. */
export type KeyFile = { readonly isGood: true; readonly keys: readonly [WrappingKey, ...WrappingKey[]] } | { readonly isGood: false; readonly problem: string };

/** Reads a key file's text. A key is 32 bytes in hexadecimal (64 digits) or base64 (44 characters). */
export function readKeyFile(text: string): KeyFile {
  const lines = text.split(/\r?\n/).map((line, index) => ({ text: line.trim(), number: index + 1 }));
  const keys: WrappingKey[] = [];
  for (const line of lines.filter(({ text: found }) => found !== '' && !found.startsWith('#'))) {
    const key = readLine(line.text);
    if (typeof key === 'string') return { isGood: false, problem: `line ${line.number} ${key}` };
    if (keys.some(({ id }) => id === key.id)) return { isGood: false, problem: `line ${line.number} has the id ${key.id} again; each key has its own` };
    keys.push(key);
    if (keys.length > MOST_KEYS) return { isGood: false, problem: `it has more than ${MOST_KEYS} keys` };
  }
  const [newest, ...older] = keys;
  return newest ? { isGood: true, keys: [newest, ...older] } : { isGood: false, problem: 'it has no key' };
}

function readLine(line: string): WrappingKey | string {
  const words = line.split(/\s+/);
  const [id = '', key = ''] = words;
  // What is no id may be a key in the wrong place, so it is not shown.
  if (words.length !== 2) return `has ${words.length === 1 ? '1 word' : `${words.length} words`}, not an id and a key`;
  if (!ID.test(id) || HEX.test(id)) return 'begins with no id of at most 64 letters, digits, dots, hyphens or underscores';
  if (HEX.test(key)) return { id, bytes: Buffer.from(key, 'hex') };
  if (BASE64.test(key)) return { id, bytes: Buffer.from(key, 'base64') };
  return `(${id}) has a key that is not 32 bytes in hexadecimal or base64`;
}
