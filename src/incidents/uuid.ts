/** Fills the given bytes with chance, like `crypto.randomFillSync`. */
export type Random = (bytes: Uint8Array) => void;

/** A UUID version 4 (RFC 9562 §5.4) from chance that is handed in. */
export function createUuid(random: Random): string {
  const bytes = Buffer.alloc(16);
  random(bytes);
  bytes.writeUInt8(0x40 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
