/** Fields that certificates, signing requests and revocation lists have in common (RFC 5280). */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import forge from 'node-forge';
import { type Asn1, bitString, boolean, context, fromDer, nothing, octetString, oid, primitive, sequence, set, toDer } from './der.ts';

const { asn1 } = forge;

/** One part of a distinguished name; several of the same type keep their order. */
export type NameAttribute = readonly [type: 'CN' | 'OU' | 'O', value: string];

const OID = {
  CN: '2.5.4.3',
  OU: '2.5.4.11',
  O: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  authorityKeyIdentifier: '2.5.29.35',
};

/** A distinguished name. */
export function name(attributes: readonly NameAttribute[]): Asn1 {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(OID[type]), primitive(asn1.Type.UTF8, forge.util.encodeUtf8(value))))));
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
export function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

/** How `signed` signs with this key: SHA-256 with EC or RSA. */
export function signatureAlgorithm(key: KeyObject): Asn1 {
  return key.asymmetricKeyType === 'ec' ? sequence(oid(OID.ecdsaWithSha256)) : sequence(oid(OID.sha256WithRsa), nothing());
}

/** Signs, and returns the DER of what was signed, algorithm and signature. */
export function signed(toBeSigned: Asn1, key: KeyObject): Buffer {
  return toDer(sequence(toBeSigned, signatureAlgorithm(key), bitString(sign('sha256', toDer(toBeSigned), key))));
}

export function extension(id: string, value: Asn1, critical = false): Asn1 {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(toDer(value)));
}

/** The extension that names the key of the issuer. */
export function authorityKeyIdentifier(issuerKey: KeyObject): Asn1 {
  return extension(OID.authorityKeyIdentifier, sequence(context(0, keyIdentifier(publicKeyOf(issuerKey)))));
}

export function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1').update(subjectPublicKeyBits(key)).digest();
}

// RFC 5280 §4.2.1.2 (1): the bits of subjectPublicKey, without tag, length and count of unused bits.
function subjectPublicKeyBits(key: KeyObject): Buffer {
  const [, bits] = fromDer(spkiOf(key)).value as Asn1[];
  const value = bits?.value;
  if (typeof value === 'string') return Buffer.from(value, 'binary').subarray(1);
  return Buffer.from((bits as unknown as { bitStringContents: string }).bitStringContents, 'binary').subarray(1);
}

export function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

/** SubjectPublicKeyInfo, DER. */
export const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
