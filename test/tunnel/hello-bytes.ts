/** ClientHellos made byte by byte, for tests and for the benchmark. */

export interface HelloShape {
  readonly name?: string | undefined;
  /** The list in `supported_versions`; undefined leaves the extension out. */
  readonly versions?: readonly number[] | undefined;
  readonly legacyVersion?: number;
  /** Further extensions: type and content. */
  readonly extensions?: readonly (readonly [number, Buffer])[];
}

/** The handshake message (RFC 8446 §4.1.2), without a record around it. */
export function helloMessage({ name, versions, legacyVersion = 0x0303, extensions = [] }: HelloShape): Buffer {
  const own: (readonly [number, Buffer])[] = [...extensions];
  if (name !== undefined) own.push([0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))]))]);
  if (versions) own.push([43, vector(1, Buffer.concat(versions.map(uint16)))]);
  const list = Buffer.concat(own.map(([type, content]) => Buffer.concat([uint16(type), vector(2, content)])));
  const body = Buffer.concat([
    uint16(legacyVersion),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 8)),
    vector(2, Buffer.from([0x13, 0x01, 0xc0, 0x2f])),
    vector(1, Buffer.from([0])),
    ...(own.length === 0 ? [] : [vector(2, list)]),
  ]);
  const head = Buffer.alloc(4, 1);
  head.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([head, body]);
}

/** A handshake message in records of at most so many bytes. */
export function inRecords(message: Buffer, recordBytes: number = 2 ** 14): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += recordBytes) {
    records.push(Buffer.from([22, 3, 1]), vector(2, message.subarray(at, at + recordBytes)));
  }
  return Buffer.concat(records);
}

/** A good ClientHello for a host, ready to be sent. */
export function goodHello(name: string): Buffer {
  return inRecords(helloMessage({ name, versions: [0x0304, 0x0303] }));
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function vector(lengthSize: number, content: Buffer): Buffer {
  const length = Buffer.alloc(lengthSize);
  length.writeUIntBE(content.length, 0, lengthSize);
  return Buffer.concat([length, content]);
}
