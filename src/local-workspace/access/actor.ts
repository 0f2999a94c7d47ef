import type { AuditEvent } from '../../audit/entry.ts';
import type { Refusal } from '../replies.ts';
import type { Standing } from './rights.ts';

/** Who did something, as it is kept with what was done. `system`: time did it. */
export interface By {
  readonly kind: 'operator' | 'token' | 'support' | 'system';
  /** The token's id; the kind again for the others. */
  readonly id: string;
  readonly name: string;
}

/** Who asks: the operator at the control socket, the holder of a token, or a support person whose request is approved (or who makes one). */
export interface Actor extends By {
  readonly kind: 'operator' | 'token' | 'support';
  readonly role: Standing;
  /** The address, or `socket`. */
  readonly from: string;
}

/** A refusal; 429 comes with the seconds after which to come again. */
export interface AccessRefusal extends Refusal {
  readonly retryAfterS?: number | undefined;
}

export type Authorised = { readonly allowed: true; readonly actor: Actor } | { readonly allowed: false; readonly refusal: AccessRefusal };

/** What came of an order. */
export type Outcome<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: AccessRefusal };

/** Whoever speaks at the control socket: acts as an owner of every workspace. */
export const OPERATOR: Actor = { kind: 'operator', id: 'operator', name: 'operator', role: 'owner', from: 'socket' };

/** Time itself, which ends what is over. */
export const SYSTEM: By = { kind: 'system', id: 'system', name: 'local-workspace' };

/** Whoever sent no token, or a wrong one. */
export const UNKNOWN: By = { kind: 'token', id: 'unknown', name: 'unknown' };

/** How the audit log names somebody. Names may repeat over the years, so a token's id stands with it. */
export function auditActor({ kind, id, name }: By): AuditEvent['actor'] {
  const hasToken = (kind === 'token' || kind === 'support') && id !== UNKNOWN.id;
  return { kind, name: hasToken ? `${name} (${id})` : name };
}

/** The same in one text: `token reporting (3f1c2d4e5a6b)`. */
export function nameOf(by: By): string {
  const { kind, name } = auditActor(by);
  return kind === 'operator' ? name : `${kind} ${name}`;
}
