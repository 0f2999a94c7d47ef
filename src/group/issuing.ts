/** Certificates by which relays of a group know each other. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { createPrivateKeyPem, type Identity } from '../authority/agent-identity.ts';
import type { Authority } from '../authority/authority.ts';
import { readSigningRequest } from '../authority/signing-request.ts';
import { toPem } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';
import { type MemberId, memberHost } from './member.ts';
import { MEMBER_CERTIFICATE_LIFE_MS } from './member-identity.ts';

type Issuer = Pick<Authority, 'issueMember'>;

/** A new key pair of this relay's own, and its certificate. */
export async function issueForSelf(authority: Issuer, id: MemberId): Promise<Identity> {
  const privateKey = await createPrivateKeyPem();
  return { certificate: issue(authority, id, createPublicKey(privateKey)), privateKey };
}

/** A certificate (PEM) for another relay's signing request (DER). Throws `relay.group.bad-request`. */
export function issueForOther(authority: Issuer, id: MemberId, request: Buffer): string {
  const found = readSigningRequest(request);
  if (found.readable) return issue(authority, id, found.publicKey);
  throw new RelayError('relay.group.bad-request', `The signing request cannot be used: ${found.reason}.`);
}

function issue(authority: Issuer, id: MemberId, publicKey: KeyObject): string {
  return toPem(authority.issueMember({ host: memberHost(id), publicKey, lifeMs: MEMBER_CERTIFICATE_LIFE_MS }));
}
