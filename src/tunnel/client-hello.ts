/**
 * The first flight of TLS, read just as far as the tunnel must: the ClientHello's versions and the name of its server. It comes from
 * strangers: every length is checked before it is used, every byte is looked at once.
 */

/** Of a first flight so much is kept. */
export const MAX_FLIGHT_BYTES: number = 16 * 1024;
const RECORD_HEAD_BYTES = 5;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const MAX_RECORD_BYTES = 2 ** 14;
const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;
const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;
const HOST_NAME = 0;

export interface ClientHello {
  /** TLS 1.2 or later is offered: by `supported_versions` (RFC 8446 §4.2.1), and by `legacy_version` without it. */
  readonly isModern: boolean;
  /** The `host_name` of `server_name` (RFC 6066 §3), in small letters. */
  readonly serverName: string | undefined;
}

/** `more`: it goes on. Otherwise the hello, or why it is none. */
export type HelloProgress =
  | { readonly state: 'more' }
  | { readonly state: 'hello'; readonly hello: ClientHello }
  | { readonly state: 'refused'; readonly reason: 'not-tls' | 'malformed-hello'; readonly found: string };

export interface HelloReader {
  push(chunk: Buffer): HelloProgress;
  /** Everything that was pushed. */
  bytes(): Buffer;
}

const MORE: HelloProgress = { state: 'more' };

/** Puts a ClientHello together from chunks of any size, and from as many records as it was cut into (RFC 8446 §5.1). */
export function createHelloReader(): HelloReader {
  let bytes: Buffer = Buffer.alloc(0);
  let nextRecord = 0;
  const fragments: Buffer[] = [];
  let gathered = 0;
  let wanted: number | undefined;

  // One whole record after the other; each is looked at once.
  const readRecords = (): HelloProgress => {
    while (bytes.length > nextRecord) {
      if (bytes[nextRecord] !== HANDSHAKE_RECORD) return notTls(bytes[nextRecord] ?? 0, nextRecord);
      if (bytes.length < nextRecord + RECORD_HEAD_BYTES) return MORE;
      const [major, length] = [bytes.readUInt8(nextRecord + 1), bytes.readUInt16BE(nextRecord + 3)];
      if (major !== 3) return malformed(`a record of version ${major}`);
      if (length === 0 || length > MAX_RECORD_BYTES) return malformed(`a record of ${length} bytes`);
      const start = nextRecord + RECORD_HEAD_BYTES;
      if (bytes.length < start + length) return MORE;
      nextRecord = start + length;
      fragments.push(bytes.subarray(start, nextRecord));
      gathered += length;
      const progress = readMessage();
      if (progress.state !== 'more') return progress;
    }
    return MORE;
  };

  const readMessage = (): HelloProgress => {
    if (gathered < 4) return MORE;
    wanted ??= 4 + Buffer.concat(fragments).readUIntBE(1, 3);
    if (fragments[0]?.[0] !== CLIENT_HELLO) return malformed('another message than a ClientHello');
    if (wanted > MAX_FLIGHT_BYTES) return malformed(`a ClientHello of ${wanted} bytes`);
    if (gathered < wanted) return MORE;
    const hello = readClientHello(Buffer.concat(fragments).subarray(4, wanted));
    return typeof hello === 'string' ? malformed(hello) : { state: 'hello', hello };
  };

  return {
    push(chunk) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const progress = readRecords();
      return progress.state === 'more' && bytes.length >= MAX_FLIGHT_BYTES ? malformed(`more than ${MAX_FLIGHT_BYTES} bytes`) : progress;
    },
    bytes: () => bytes,
  };
}

// RFC 8446 §4.1.2: version, random, session, ciphers, compression, extensions.
function readClientHello(body: Buffer): ClientHello | string {
  const fields = createCursor(body);
  const legacyVersion = fields.number(2);
  fields.skip(32);
  fields.vector(1);
  fields.vector(2);
  fields.vector(1);
  const extensions = fields.isAtEnd() ? Buffer.alloc(0) : fields.vector(2);
  if (fields.failed() || !fields.isAtEnd()) return 'lengths that do not fit';
  const found = readExtensions(extensions);
  if (typeof found === 'string') return found;
  const { versions, serverName } = found;
  const isModern = versions ? versions.includes(TLS_1_2) || versions.includes(TLS_1_3) : legacyVersion >= TLS_1_2 && legacyVersion >> 8 === 3;
  return { isModern, serverName };
}

interface Extensions {
  versions: readonly number[] | undefined;
  serverName: string | undefined;
}

function readExtensions(bytes: Buffer): Extensions | string {
  const found: Extensions = { versions: undefined, serverName: undefined };
  const seen = new Set<number>();
  const fields = createCursor(bytes);
  while (!fields.isAtEnd()) {
    const type = fields.number(2);
    const content = fields.vector(2);
    if (fields.failed()) return 'an extension whose length does not fit';
    if (seen.has(type)) return `extension ${type} twice`;
    seen.add(type);
    if (type === SUPPORTED_VERSIONS) found.versions = readVersions(content);
    if (type === SERVER_NAME) {
      found.serverName = readServerName(content);
      if (found.serverName === undefined) return 'a server_name that cannot be read';
    }
  }
  return found;
}

// A list that cannot be read offers nothing.
function readVersions(content: Buffer): number[] {
  const fields = createCursor(content);
  const list = createCursor(fields.vector(1));
  const versions: number[] = [];
  while (!list.isAtEnd()) versions.push(list.number(2));
  return fields.failed() || list.failed() || !fields.isAtEnd() ? [] : versions;
}

// Exactly one name, and that a host's: whoever reads another one of several must not be led elsewhere.
function readServerName(content: Buffer): string | undefined {
  const fields = createCursor(content);
  const list = createCursor(fields.vector(2));
  const type = list.number(1);
  const name = list.vector(2).toString('latin1');
  if (fields.failed() || list.failed() || !fields.isAtEnd() || !list.isAtEnd()) return undefined;
  return type === HOST_NAME && /^[\x21-\x7e]{1,255}$/.test(name) ? name.toLowerCase() : undefined;
}

interface Cursor {
  number(size: 1 | 2): number;
  /** As many bytes as the length before them says. */
  vector(lengthSize: 1 | 2): Buffer;
  skip(count: number): void;
  isAtEnd(): boolean;
  /** Something was not there; from then on it is at its end. */
  failed(): boolean;
}

function createCursor(bytes: Buffer): Cursor {
  let at = 0;
  let hasFailed = false;
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) {
      hasFailed = true;
      at = bytes.length;
      return Buffer.alloc(count);
    }
    at += count;
    return bytes.subarray(at - count, at);
  };
  const number = (size: 1 | 2): number => take(size).readUIntBE(0, size);
  return {
    number,
    vector: (lengthSize) => take(number(lengthSize)),
    skip: (count) => void take(count),
    isAtEnd: () => at === bytes.length,
    failed: () => hasFailed,
  };
}

function notTls(byte: number, at: number): HelloProgress {
  return { state: 'refused', reason: at === 0 ? 'not-tls' : 'malformed-hello', found: `byte ${at} is 0x${byte.toString(16).padStart(2, '0')}` };
}

function malformed(found: string): HelloProgress {
  return { state: 'refused', reason: 'malformed-hello', found };
}
