/**
 * Builds X.509 v3 certificates (RFC 5280). node-forge writes the ASN.1; OpenSSL, through node:crypto, makes every key and signature,
 * so that EC keys work and nothing is signed in JavaScript.
 */
import { type KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';
import { RelayError } from '../errors.ts';
import { type Asn1, boolean, context, fromDer, integer, octetString, oid, primitive, sequence } from './der.ts';
import { authorityKeyIdentifier, extension, keyIdentifier, type NameAttribute, name, signatureAlgorithm, signed, spkiOf, time } from './x509-fields.ts';

const { asn1 } = forge;

export type { NameAttribute } from './x509-fields.ts';

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
  /** Address of the list that says whether it was revoked. */
  readonly revocationListAddress?: string | undefined;
}

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlDistributionPoints: '2.5.29.31',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

/**
 * Makes a certificate and returns its DER. The signature is SHA-256 with the issuer's key (EC or RSA); the serial holds 126 bits of chance.
 * Throws `relay.authority.bad-name` for an address with a zone.
 */
export function createCertificate(profile: CertificateProfile): Buffer {
  const toBeSigned = sequence(
    context(0, [integer('\x02')]),
    integer(randomSerial()),
    signatureAlgorithm(profile.issuerKey),
    name(profile.issuer),
    sequence(time(profile.notBefore), time(profile.notAfter)),
    name(profile.subject),
    fromDer(spkiOf(profile.publicKey)),
    context(3, [sequence(...extensions(profile))]),
  );
  return signed(toBeSigned, profile.issuerKey);
}

function extensions(profile: CertificateProfile): Asn1[] {
  const list = [
    extension(OID.basicConstraints, sequence(...(profile.authority ? [boolean(true)] : [])), true),
    extension(OID.keyUsage, profile.authority ? keyUsage(1, 0x06) : keyUsage(7, 0x80), true),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(profile.publicKey))),
    authorityKeyIdentifier(profile.issuerKey),
  ];
  if (profile.extendedKeyUsage) list.push(extension(OID.extendedKeyUsage, sequence(...profile.extendedKeyUsage.map((usage) => oid(OID[usage])))));
  if (profile.alternativeNames?.length) list.push(extension(OID.subjectAltName, sequence(...profile.alternativeNames.map(alternativeName))));
  if (profile.revocationListAddress !== undefined) list.push(extension(OID.crlDistributionPoints, distributionPoints(profile.revocationListAddress)));
  return list;
}

// RFC 5280 §4.2.1.3: digitalSignature is bit 0, keyCertSign bit 5, cRLSign bit 6.
function keyUsage(unusedBits: number, bits: number): Asn1 {
  return primitive(asn1.Type.BITSTRING, String.fromCharCode(unusedBits, bits));
}

// RFC 5280 §4.2.1.13: one DistributionPoint with one fullName, a URI ([6]).
function distributionPoints(address: string): Asn1 {
  return sequence(sequence(context(0, [context(0, [context(6, Buffer.from(address, 'ascii'))])])));
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

// Positive and never zero: the first byte is between 0x40 and 0x7f.
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(0x40 | (bytes.readUInt8(0) & 0x3f), 0);
  return bytes.toString('binary');
}
