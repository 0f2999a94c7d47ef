import { oid, sequence, set, toDer } from './der.ts';

const OID = { ecPublicKey: '1.2.840.10045.2.1', p256: '1.2.840.10045.3.1.7', ecdsaWithSha256: '1.2.840.10045.4.3.2' };

/** What a signing request had best look like (RFC 7030 §4.5.2), DER: an EC P-256 key, signed with SHA-256. */
export function writeRequestAttributes(): Buffer {
  return toDer(sequence(sequence(oid(OID.ecPublicKey), set(oid(OID.p256))), oid(OID.ecdsaWithSha256)));
}
