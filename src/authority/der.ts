/** The pieces of DER that certificates, signing requests and revocation lists are made of. node-forge writes them. */
import forge from 'node-forge';

const { asn1 } = forge;

export type Asn1 = forge.asn1.Asn1;

/** Reads DER that we made ourselves or that OpenSSL has checked. Throws on anything else. */
export const fromDer = (der: Buffer): Asn1 => asn1.fromDer(der.toString('binary'));
export const toDer = (value: Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'binary');
export const primitive = (type: forge.asn1.Type, value: string): Asn1 => asn1.create(asn1.Class.UNIVERSAL, type, false, value);
export const sequence = (...items: Asn1[]): Asn1 => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
export const set = (...items: Asn1[]): Asn1 => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, items);
/** From the bytes of a number, the sign in the first bit. */
export const integer = (bytes: string): Asn1 => primitive(asn1.Type.INTEGER, bytes);
export const boolean = (value: boolean): Asn1 => primitive(asn1.Type.BOOLEAN, value ? '\xff' : '\x00');
export const nothing = (): Asn1 => primitive(asn1.Type.NULL, '');
export const oid = (dotted: string): Asn1 => primitive(asn1.Type.OID, asn1.oidToDer(dotted).getBytes());
export const octetString = (bytes: Buffer): Asn1 => primitive(asn1.Type.OCTETSTRING, bytes.toString('binary'));
export const bitString = (bytes: Buffer): Asn1 => primitive(asn1.Type.BITSTRING, `\x00${bytes.toString('binary')}`);
/** A context-specific tag: constructed from items, or primitive from bytes. */
export const context = (tag: number, value: Asn1[] | Buffer): Asn1 =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, Array.isArray(value), Array.isArray(value) ? value : value.toString('binary'));
