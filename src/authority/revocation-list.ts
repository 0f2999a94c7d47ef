/** Certificate revocation lists (RFC 5280 §5, version 2). node-forge writes the ASN.1, OpenSSL signs. */
import forge from 'node-forge';
import type { Issuer } from './agent-certificates.ts';
import { type Asn1, context, integer, primitive, sequence } from './der.ts';
import { authorityKeyIdentifier, extension, name, signatureAlgorithm, signed, time } from './x509-fields.ts';

const { asn1 } = forge;

const OID = { crlNumber: '2.5.29.20', reasonCode: '2.5.29.21' };

// RFC 5280 §5.3.1
const REASONS = { superseded: 4, removed: 5, held: 6 } as const;

/** A certificate of the issuer that is not good any more. */
export interface RevokedCertificate {
  /** Hexadecimal. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `held` may come back. */
  readonly reason: keyof typeof REASONS;
}

export interface RevocationListContent {
  readonly revoked: readonly RevokedCertificate[];
  /** Milliseconds since 1970. The number of the list is made from it: later lists have greater ones. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** Makes the DER of a list, signed by the issuer. */
export function createRevocationList(issuer: Issuer, { revoked, thisUpdate, nextUpdate }: RevocationListContent): Buffer {
  const number = extension(OID.crlNumber, integer(unsigned(Math.floor(thisUpdate / 1000).toString(16))));
  const list = sequence(
    integer('\x01'),
    signatureAlgorithm(issuer.key),
    name(issuer.name),
    time(new Date(thisUpdate)),
    time(new Date(nextUpdate)),
    // An empty list must be left out altogether.
    ...(revoked.length > 0 ? [sequence(...revoked.map(entry))] : []),
    context(0, [sequence(authorityKeyIdentifier(issuer.key), number)]),
  );
  return signed(list, issuer.key);
}

function entry({ serial, at, reason }: RevokedCertificate): Asn1 {
  const code = primitive(asn1.Type.ENUMERATED, String.fromCharCode(REASONS[reason]));
  return sequence(integer(unsigned(serial)), time(new Date(at)), sequence(extension(OID.reasonCode, code)));
}

// The bytes of a positive number: one more in front where the first bit would be a sign.
function unsigned(hex: string): string {
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return ((bytes[0] ?? 0) >= 0x80 ? '\x00' : '') + bytes.toString('binary');
}
