import type { AuditEvent, EnterAudit } from './entry.ts';

const ONE_ENTRY_EVERY_MS = 60_000;
const MAX_AT_ONCE = 100;
const COUNTED: readonly AuditEvent['actor']['kind'][] = ['agent', 'token', 'support'];
const OTHERS = 'other addresses';

interface Seen {
  readonly event: AuditEvent;
  readonly at: number;
  /** How many came since its entry. */
  more: number;
}

/**
 * Enters what agents were refused, such as failed sign-ins: the first of an address and reason at once, then the count of those that came
 * within the minute after it, so that nobody can fill the log, or hide in it, by trying again and again. Addresses beyond a hundred at a time
 * are counted together. What holders of tokens are refused in a local workspace is counted alike, for each of them and each thing it was on.
 * Everything else is entered as it comes.
 */
export function countRefusedAgents(enter: EnterAudit, now: () => number): EnterAudit {
  const seen = new Map<string, Seen>();

  const endMinutes = (): void => {
    for (const [key, { event, at, more }] of seen) {
      // A clock that was set back must not keep a minute open.
      if (Math.abs(now() - at) < ONE_ENTRY_EVERY_MS) continue;
      seen.delete(key);
      if (more > 0) enter({ ...event, detail: `${event.detail ?? 'refused'}; ${more} more in the minute after the entry before` });
    }
  };

  return (event) => {
    if (!COUNTED.includes(event.actor.kind) || event.result !== 'refused') return enter(event);
    endMinutes();
    const who = event.actor.kind === 'agent' ? '' : `${event.actor.kind} ${event.actor.name} ${event.on} `;
    const own = `${who}${event.from} ${event.action} ${event.detail}`;
    const isOwn = seen.has(own) || seen.size < MAX_AT_ONCE;
    const before = seen.get(isOwn ? own : OTHERS);
    if (before) {
      before.more += 1;
      return;
    }
    seen.set(isOwn ? own : OTHERS, { event: isOwn ? event : { ...event, from: OTHERS }, at: now(), more: 0 });
    enter(event);
  };
}
