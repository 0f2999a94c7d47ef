import { z } from 'zod';
import { RelayError } from '../errors.ts';
import type { MemberId } from './member.ts';

const HEAD = 'relay-group-1.';

/** What a relay needs to join: where the primary is, by what it is known, and what lets the newcomer in. */
export interface JoinInvitation {
  /** The primary's address: https, host and port. */
  readonly address: string;
  readonly primary: MemberId;
  /** SHA-256 of the authority's root, hexadecimal: compared before anything is sent. */
  readonly rootFingerprint: string;
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const content = z.object({
  address: z.url({ protocol: /^https$/ }).max(300),
  primary: z.string().regex(/^[0-9a-f]{12}$/),
  rootFingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  secret: z.string().min(40).max(100),
  expiresAt: z.number(),
}) as unknown as z.ZodType<JoinInvitation>;

/** One line of text, to be carried to the other relay. */
export function writeJoinToken(invitation: JoinInvitation): string {
  return HEAD + Buffer.from(JSON.stringify(invitation)).toString('base64url');
}

/** Reads it. Throws `relay.group.bad-token`; the text is never shown. */
export function readJoinToken(text: string): JoinInvitation {
  const line = text.trim();
  try {
    if (line.startsWith(HEAD) && line.length < 4_096) return content.parse(JSON.parse(Buffer.from(line.slice(HEAD.length), 'base64url').toString()));
  } catch {
    // Said below.
  }
  throw new RelayError('relay.group.bad-token', `The file holds ${line.length} characters that are no token. Make one on the primary: relay group token`);
}
