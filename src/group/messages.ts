/** What relays of a group say to each other, in JSON. What came is checked before it is used. */
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { memberSchema } from './group-file.ts';
import type { MemberId } from './member.ts';
import type { Claim } from './membership.ts';

const BASE64 = z.base64().max(700_000);

export const claimSchema: z.ZodType<Claim> = z.object({
  term: z.number().int().positive(),
  primary: z.string(),
  members: z.array(memberSchema).min(1).max(16),
}) as unknown as z.ZodType<Claim>;

/** A relay asks to be let in. */
export interface JoinRequest {
  readonly secret: string;
  readonly name: string;
  readonly address: string;
  /** DER of a signing request, base64. */
  readonly request: string;
}

export const joinRequest: z.ZodType<JoinRequest> = z.object({
  secret: z.string().max(200),
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name is 1 to 64 letters, digits, dots, underscores or hyphens'),
  address: z.url({ protocol: /^https$/ }).max(300),
  request: BASE64,
});

/** It is in. */
export interface JoinAnswer {
  readonly id: MemberId;
  /** PEM. */
  readonly certificate: string;
  /** A packed snapshot, base64. */
  readonly snapshot: string;
}

export const joinAnswer: z.ZodType<JoinAnswer> = z.object({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  certificate: z.string().max(16_384),
  snapshot: z.base64(),
}) as unknown as z.ZodType<JoinAnswer>;

/** A member's signing request (DER, base64), and the certificate (PEM) for it. */
export const certificateRequest: z.ZodType<{ readonly request: string }> = z.object({ request: BASE64 });
export const certificateAnswer: z.ZodType<{ readonly certificate: string }> = z.object({ certificate: z.string().max(16_384) });

/** What a member answers to whoever says to be the primary: whom it takes for that, and which copy it has. */
export interface PrimaryAnswer {
  readonly claim: Claim;
  readonly version?: string | undefined;
}

export const primaryAnswer: z.ZodType<PrimaryAnswer> = z.object({ claim: claimSchema, version: z.string().max(64).optional() });

/** Somebody's request, handed on to the primary. */
export interface ForwardedRequest {
  readonly method: 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** base64, as the next. */
  readonly body: string;
  /** DER of the client certificate that it came with. */
  readonly peer?: string | undefined;
  /** The address that it came from. */
  readonly from: string;
}

export const forwardedRequest: z.ZodType<ForwardedRequest> = z.object({
  method: z.literal('POST'),
  path: z.string().max(2_048),
  headers: z.record(z.string().max(64), z.string().max(8_192)),
  body: BASE64,
  peer: BASE64.optional(),
  from: z.string().max(64),
});

/** What the primary answered to it; the body in base64. */
export interface ForwardedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const forwardedAnswer: z.ZodType<ForwardedAnswer> = z.object({ status: z.number().int(), headers: z.record(z.string(), z.string()), body: BASE64 });

/** Reads what another relay said. Throws `relay.group.bad-request`. */
export function readMessage<T>(schema: z.ZodType<T>, text: Buffer): T {
  const parsed = schema.safeParse(parse(text.toString()));
  if (parsed.success) return parsed.data;
  throw new RelayError(
    'relay.group.bad-request',
    `Another relay said what this one does not understand (${parsed.error.issues
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .slice(0, 3)
      .join('; ')}). Use the same release on all.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
