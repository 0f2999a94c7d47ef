import { type Fingerprint, fingerprintOf } from '../authority/x509.ts';

/** What names a relay within its group: 12 hexadecimal digits. */
export type MemberId = string & { readonly __memberId: true };

/** A certificate that a member is known by. */
export interface MemberCertificate {
  readonly fingerprint: Fingerprint;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** A relay of the group. */
export interface Member {
  readonly id: MemberId;
  /** What operators call it. */
  readonly name: string;
  /** Where agents and the other relays reach it: https, host and port. */
  readonly address: string;
  /** The newest first. The one before stays until the next renewal: its owner may not have got the newest. */
  readonly certificates: readonly MemberCertificate[];
  /** Milliseconds since 1970. */
  readonly joinedAt: number;
}

/** The host name in a member's certificate. No resolver knows it (RFC 6761 §6.4): it is asked for by SNI, at the member's address. */
export function memberHost(id: MemberId): string {
  return `${id}.member.relay.invalid`;
}

/** Whose client certificate (DER) this is; undefined when it is no member's, or over. */
export function memberOf(members: readonly Member[], der: Uint8Array | undefined, now: number): Member | undefined {
  if (!der) return undefined;
  const fingerprint = fingerprintOf(der);
  return members.find(({ certificates }) => certificates.some((one) => one.fingerprint === fingerprint && one.notAfter >= now));
}

/** Host and port of an address. */
export function placeOf(address: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(address);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) };
}
