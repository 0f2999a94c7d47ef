import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../fixtures/fluent-bit');

/** The workspace that the captures of the `azure` output name, and the key that they are signed with. */
export const AZURE_WORKSPACE = '00000000-1111-2222-3333-444444444444';
export const AZURE_KEY = 'dGhyb3ctYXdheS1rZXktZm9yLXRlc3RzLTAxMjM0NTY3ODk=';
/** Client id and secret of the captured token request. */
export const CLIENT_ID = 'bbbbbbbb-0000-0000-0000-000000000002';
export const CLIENT_SECRET = 'throw-away-secret';

/** A request as Fluent Bit sent it. */
export interface FluentBitCapture {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** The request target as it stands in the request line. */
  readonly target: string;
  /** Names in lower case, but those that only hold for the connection. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One capture, such as `3-azure/001`. */
export function readFluentBit(name: string): FluentBitCapture {
  const { at, requestLine, rawHeaders } = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as {
    readonly at: string;
    readonly requestLine: string;
    readonly rawHeaders: readonly string[];
  };
  const [method = '', target = ''] = requestLine.split(' ');
  const headers = rawHeaders.map((line): [string, string] => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  return {
    at: Date.parse(at),
    method,
    target,
    headers: Object.fromEntries(headers.filter(([header]) => header !== 'connection')),
    body: readFileSync(join(FOLDER, `${name}.body`)),
  };
}
