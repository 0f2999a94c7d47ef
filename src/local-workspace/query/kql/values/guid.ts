const GUID = /^\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;

/** A GUID in lower case with hyphens, or null when the text is none. */
export function parseGuid(text: string): string | null {
  const match = GUID.exec(text.trim());
  return match ? match.slice(1).join('-').toLowerCase() : null;
}
