/**
 * How a notice that is posted is signed: HMAC-SHA256 (RFC 2104) over the time, a full stop, and the body as it is sent. The time is signed with it, so
 * that a receiver can refuse what somebody recorded: it compares the signature, then looks whether the time is of the last five minutes.
 */
import { createHmac } from 'node:crypto';
import { isSameSecret } from '../same-secret.ts';

/** Seconds since 1970 at which the notice was sent. */
export const TIMESTAMP_HEADER = 'x-relay-timestamp';
/** `v1=` and the signature in hexadecimal. */
export const SIGNATURE_HEADER = 'x-relay-signature';
/** The same UUID in every try. */
export const DELIVERY_HEADER = 'x-relay-delivery';

/** What the signature header says. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** Whether a signature is this body's; for receivers. */
export function isSignedBy(secret: string, signed: { readonly timestamp: string; readonly body: string; readonly signature: string }): boolean {
  return isSameSecret(signatureOf(secret, signed.timestamp, signed.body), signed.signature);
}
