/** What HTTP's basic scheme brought (RFC 7617). */
export interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

const MAX_HEADER = 2_048;
const BASIC = /^basic +([a-z0-9+/]+=*) *$/i;

/** Reads an Authorization header; undefined when it is no basic one. */
export function readBasic(header: string | undefined): NameAndPassword | undefined {
  const encoded = header !== undefined && header.length <= MAX_HEADER ? BASIC.exec(header)?.[1] : undefined;
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
