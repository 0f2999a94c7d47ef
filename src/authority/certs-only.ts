/** PKCS#7 "certs-only" (RFC 5652 §5, RFC 5751 §3.8): the envelope in which certificates travel in EST. It holds no signature. */
import forge from 'node-forge';
import { type Asn1, context, fromDer, integer, oid, sequence, set, toDer } from './der.ts';

const { asn1 } = forge;

/** Largest envelope read, in bytes of DER, and most certificates in it. */
const MAX_BYTES = 64 * 1024;
const MAX_CERTIFICATES = 20;

const OID = { data: '1.2.840.113549.1.7.1', signedData: '1.2.840.113549.1.7.2' };

/** Puts certificates (DER) into an envelope (DER). */
export function writeCertsOnly(certificates: readonly Buffer[]): Buffer {
  const signedData = sequence(integer('\x01'), set(), sequence(oid(OID.data)), context(0, certificates.map(fromDer)), set());
  return toDer(sequence(oid(OID.signedData), context(0, [signedData])));
}

/** Takes the certificates (DER) out of an envelope that a relay we trust has sent; undefined when it is none, or too large. */
export function readCertsOnly(der: Buffer): readonly Buffer[] | undefined {
  if (der.length > MAX_BYTES) return undefined;
  try {
    const [type, content] = itemsOf(fromDer(der));
    if (!type || asn1.derToOid(String(type.value)) !== OID.signedData) return undefined;
    const [signedData] = itemsOf(content);
    const certificates = itemsOf(signedData).find(({ tagClass, type: tag }) => tagClass === asn1.Class.CONTEXT_SPECIFIC && Number(tag) === 0);
    const found = itemsOf(certificates).map(toDer);
    return found.length > 0 && found.length <= MAX_CERTIFICATES ? found : undefined;
  } catch {
    return undefined;
  }
}

function itemsOf(value: Asn1 | undefined): Asn1[] {
  return Array.isArray(value?.value) ? value.value : [];
}
