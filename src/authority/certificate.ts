/**
 * Builds X.509 v3 certificates (RFC 5280). node-forge writes the ASN.1; OpenSSL, through node:crypto, makes every key and signature,
 * so that EC keys work and nothing is signed in JavaScript.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';
import { RelayError } from '../errors.ts';

const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;

/** One part of a distinguished name; several of the same type keep their order. */
export type NameAttribute = readonly [type: 'CN' | 'OU' | 'O', value: string];

export interface CertificateProfile {
  readonly subject: readonly NameAttribute[];
  readonly issuer: readonly NameAttribute[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** The key that signs; the issuer's own for a signed certificate, the subject's for a self-signed one. */
  readonly issuerKey: KeyObject;
  readonly authority: boolean;
  /** DNS names (wildcards allowed) and IP addresses. */
  readonly alternativeNames?: readonly string[];
  readonly extendedKeyUsage?: readonly ('serverAuth' | 'clientAuth')[];
}

const OID = {
  CN: '2.5.4.3',
  OU: '2.5.4.11',
  O: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

/**
 * Makes a certificate and returns its DER. The signature is SHA-256 with the issuer's key (EC or RSA); the serial holds 126 bits of chance.
 * Throws `relay.authority.bad-name` for an address with a zone.
 */
export function createCertificate(profile: CertificateProfile): Buffer {
  const algorithm = signatureAlgorithm(profile.issuerKey);
  const toBeSigned = sequence(
    context(0, [integer('\x02')]),
    integer(randomSerial()),
    algorithm,
    name(profile.issuer),
    sequence(time(profile.notBefore), time(profile.notAfter)),
    name(profile.subject),
    fromDer(spkiOf(profile.publicKey)),
    context(3, [sequence(...extensions(profile))]),
  );
  const signature = sign('sha256', toDer(toBeSigned), profile.issuerKey);
  return toDer(sequence(toBeSigned, algorithm, bitString(signature)));
}

function extensions(profile: CertificateProfile): Asn1[] {
  const list = [
    extension(OID.basicConstraints, sequence(...(profile.authority ? [boolean(true)] : [])), true),
    extension(OID.keyUsage, profile.authority ? keyUsage(1, 0x06) : keyUsage(7, 0x80), true),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(profile.publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(context(0, keyIdentifier(publicKeyOf(profile.issuerKey))))),
  ];
  if (profile.extendedKeyUsage) list.push(extension(OID.extendedKeyUsage, sequence(...profile.extendedKeyUsage.map((usage) => oid(OID[usage])))));
  if (profile.alternativeNames?.length) list.push(extension(OID.subjectAltName, sequence(...profile.alternativeNames.map(alternativeName))));
  return list;
}

function extension(id: string, value: Asn1, critical = false): Asn1 {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(toDer(value)));
}

// RFC 5280 §4.2.1.3: digitalSignature is bit 0, keyCertSign bit 5, cRLSign bit 6.
function keyUsage(unusedBits: number, bits: number): Asn1 {
  return primitive(asn1.Type.BITSTRING, String.fromCharCode(unusedBits, bits));
}

// RFC 5280 §4.2.1.6: dNSName is [2], iPAddress [7] in network byte order.
function alternativeName(value: string): Asn1 {
  return isIP(value) ? context(7, addressBytes(value)) : context(2, Buffer.from(value, 'ascii'));
}

// @types/node-forge does not know this function.
const { bytesFromIP } = forge.util as unknown as { bytesFromIP(address: string): string | null };

// forge misreads IPv6 with an IPv4 part; a URL's host writes such an address without one.
function addressBytes(address: string): Buffer {
  const plain = isIP(address) === 6 ? URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) : address;
  const bytes = plain === undefined ? null : bytesFromIP(plain);
  if (bytes === null) throw new RelayError('relay.authority.bad-name', `A certificate cannot name the address ${address}. Leave out its zone (%…).`);
  return Buffer.from(bytes, 'binary');
}

function name(attributes: readonly NameAttribute[]): Asn1 {
  return sequence(
    ...attributes.map(([type, value]) =>
      asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [sequence(oid(OID[type]), primitive(asn1.Type.UTF8, forge.util.encodeUtf8(value)))]),
    ),
  );
}

// RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

function signatureAlgorithm(key: KeyObject): Asn1 {
  if (key.asymmetricKeyType === 'ec') return sequence(oid(OID.ecdsaWithSha256));
  return sequence(oid(OID.sha256WithRsa), primitive(asn1.Type.NULL, ''));
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1').update(subjectPublicKeyBits(key)).digest();
}

// RFC 5280 §4.2.1.2 (1): the bits of subjectPublicKey, without tag, length and count of unused bits.
function subjectPublicKeyBits(key: KeyObject): Buffer {
  const [, bits] = fromDer(spkiOf(key)).value as Asn1[];
  const value = bits?.value;
  if (typeof value === 'string') return Buffer.from(value, 'binary').subarray(1);
  return Buffer.from((bits as unknown as { bitStringContents: string }).bitStringContents, 'binary').subarray(1);
}

function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

// Positive and never zero: the first byte is between 0x40 and 0x7f.
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(0x40 | (bytes.readUInt8(0) & 0x3f), 0);
  return bytes.toString('binary');
}

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const fromDer = (der: Buffer): Asn1 => asn1.fromDer(der.toString('binary'));
const toDer = (value: Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'binary');
const primitive = (type: forge.asn1.Type, value: string): Asn1 => asn1.create(asn1.Class.UNIVERSAL, type, false, value);
const sequence = (...items: Asn1[]): Asn1 => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
const integer = (bytes: string): Asn1 => primitive(asn1.Type.INTEGER, bytes);
const boolean = (value: boolean): Asn1 => primitive(asn1.Type.BOOLEAN, value ? '\xff' : '\x00');
const oid = (dotted: string): Asn1 => primitive(asn1.Type.OID, asn1.oidToDer(dotted).getBytes());
const octetString = (bytes: Buffer): Asn1 => primitive(asn1.Type.OCTETSTRING, bytes.toString('binary'));
const bitString = (bytes: Buffer): Asn1 => primitive(asn1.Type.BITSTRING, `\x00${bytes.toString('binary')}`);
const context = (tag: number, value: Asn1[] | Buffer): Asn1 =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, Array.isArray(value), Array.isArray(value) ? value : value.toString('binary'));
