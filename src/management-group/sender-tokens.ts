/**
 * Access tokens of senders. A token is signed with the secret that it was got with, so every relay that knows the secret believes it, and it
 * ends with the secret, with its sender's standing, or with its time, whichever comes first, at the next request.
 *
 * `<payload>.<HMAC-SHA-256>`, both in base64url.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { readAgentId } from '../workspace/workspace-id.ts';
import type { Agent } from './agent.ts';
import type { KnownSender, Senders } from './senders.ts';

const PURPOSE = 'relay sender token 1';
const MAX_CHARACTERS = 512;
const MAC_BYTES = 32;

export type CheckedToken = { readonly valid: true; readonly agent: Agent } | { readonly valid: false; readonly reason: string };

export interface SenderTokens {
  /** A token that is good for `lifeMs`. */
  issue(sender: KnownSender, lifeMs: number): string;
  check(token: string): CheckedToken;
}

const payloadSchema = z.object({ sub: z.string(), sid: z.string(), exp: z.number() });

const STRANGE: CheckedToken = { valid: false, reason: 'The token is none of this relay, or its secret is not good any more. Sign in again.' };

export function createSenderTokens(senders: Pick<Senders, 'withSecret'>, now: () => number): SenderTokens {
  return {
    issue({ agent, secret }, lifeMs) {
      const payload = { sub: agent.agentId, sid: secret.id, exp: Math.floor((now() + lifeMs) / 1000) };
      const head = Buffer.from(JSON.stringify(payload)).toString('base64url');
      return `${head}.${macOf(head, secret.text).toString('base64url')}`;
    },
    check(token) {
      const [head = '', mac = '', ...rest] = token.length > MAX_CHARACTERS ? [] : token.split('.');
      const payload = readPayload(head);
      const agentId = payload && readAgentId(payload.sub);
      const known = agentId && senders.withSecret(agentId, payload.sid);
      const given = Buffer.from(mac, 'base64url');
      // As it is written, too: base64url has several spellings of the same bytes.
      if (!known || rest.length > 0 || given.length !== MAC_BYTES || given.toString('base64url') !== mac) return STRANGE;
      if (!timingSafeEqual(given, macOf(head, known.secret.text))) return STRANGE;
      if (now() >= payload.exp * 1000) return { valid: false, reason: `The token expired at ${new Date(payload.exp * 1000).toISOString()}. Sign in again.` };
      return { valid: true, agent: known.agent };
    },
  };
}

function macOf(head: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${PURPOSE}\n${head}`).digest();
}

function readPayload(head: string): z.infer<typeof payloadSchema> | undefined {
  try {
    return payloadSchema.safeParse(JSON.parse(Buffer.from(head, 'base64url').toString())).data;
  } catch {
    return undefined;
  }
}
