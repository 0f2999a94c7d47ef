/** How an incident moves: forward only, steps may be left out, and what is closed stays closed. Pure. */
import { STATES, type State } from './incident.ts';

/** States that somebody may move an incident to. */
export const TARGETS = ['assessed', 'contained', 'closed'] as const;
export type Target = (typeof TARGETS)[number];

export type Move = { readonly may: true } | { readonly may: false; readonly why: string };

/** Whether an incident may go from one state to another; if not, why, and what to do. */
export function mayMove(from: State, to: Target): Move {
  if (STATES.indexOf(to) > STATES.indexOf(from)) return { may: true };
  if (from === 'closed') return { may: false, why: 'It is closed and stays so. If it happens again, a new incident names this one.' };
  if (from === to) return { may: false, why: `It is ${to} already.` };
  return { may: false, why: `It is ${from}, and an incident never goes back to ${to}. Move it on to ${STATES.slice(STATES.indexOf(from) + 1).join(' or ')}.` };
}
