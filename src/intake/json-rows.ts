/** Rows as senders write them: a JSON array of objects. Each is looked at by itself, so that a large body takes no more memory than it has bytes. */
import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { findRecords } from '../batch/records.ts';
import { RelayError } from '../errors.ts';

/** So many bytes are looked at before others have their turn. */
const TURN_BYTES = 256 * 1024;

export interface RowsRule {
  /** Whether one object alone will do, in place of an array. */
  readonly allowsSingle: boolean;
}

/** Returns how many rows a body has. Throws `relay.intake.bad-json`, saying where it goes wrong. */
export async function mustBeRows(json: Buffer, { allowsSingle }: RowsRule): Promise<number> {
  if (!isUtf8(json)) throw bad('it is not in UTF-8');
  const first = json.toString('latin1', 0, 64).trimStart()[0];
  if (allowsSingle && first === '{') {
    if (!isObject(json.toString())) throw bad('the object is not well-formed');
    return 1;
  }
  const found = findRecords(json);
  if (first !== '[' && first !== '\u00ef') throw bad('it is not an array of objects');
  if (!found.found) throw bad(found.reason);
  const { starts, ends } = found.places;
  let looked = 0;
  for (const [row, start] of starts.entries()) {
    const end = ends[row] ?? start;
    if (!isObject(json.toString('latin1', start, end))) throw bad(`row ${row + 1} of ${starts.length} is not an object`);
    looked += end - start;
    if (looked < TURN_BYTES) continue;
    looked = 0;
    await setImmediate();
  }
  return starts.length;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function bad(why: string): RelayError {
  return new RelayError('relay.intake.bad-json', `The body is no JSON that can be taken: ${why}.`);
}
