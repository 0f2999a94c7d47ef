/** Dynamic values are kept as the text of their JSON: what is inside is read when it is asked for. */

/** What the text of a dynamic value holds; undefined when it is no JSON. */
export function readDynamic(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text of a dynamic value; null for null, and for what JSON cannot hold. */
export function writeDynamic(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return null;
  }
}

/** `parse_json()`: text that is no JSON becomes a dynamic string, empty text null. */
export function parseDynamic(text: string): string | null {
  if (text.trim() === '') return null;
  const value = readDynamic(text);
  return value === undefined ? JSON.stringify(text) : writeDynamic(value);
}

/** A dynamic as people read it: a string without its quotes, everything else as JSON, null as empty text. */
export function dynamicText(text: string | null): string {
  if (text === null) return '';
  const value = readDynamic(text);
  if (typeof value === 'string') return value;
  return value === null ? '' : text;
}

/** What is under a name or at a place (from the end when below 0) of a dynamic value; null when there is nothing. */
export function memberOf(text: string | null, key: string | number): string | null {
  const value = readDynamic(text);
  if (Array.isArray(value)) return typeof key === 'number' ? writeDynamic(value.at(key)) : null;
  if (typeof value !== 'object' || value === null || typeof key !== 'string' || !Object.hasOwn(value, key)) return null;
  return writeDynamic((value as Record<string, unknown>)[key]);
}
