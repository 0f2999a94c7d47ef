import { unaccounted } from '../cache/balance.ts';
import type { WorkspaceStats } from '../cache/cache.ts';
import { roughDuration, roughSize } from '../rough.ts';
import type { RoadRefusal, RoadState, WorkspaceRoads } from '../workspace/road-state.ts';
import type { SignInState } from '../workspace/sign-in-state.ts';
import { type Attention, act, look, timeOf } from './attention.ts';

/** Two tries of the default schedule: a shorter outage is an outage like others. */
const OUTAGE_MS = 16 * 60_000;
/** How long something may wait although it could be sent. */
const DUE_MS = 10 * 60_000;
/** Of an answer; all of it is in `relay status --json`. */
const MOST_REASON_CHARS = 160;

/** One workspace, as it is known at `now` (milliseconds since 1970). */
export interface WorkspaceView {
  readonly name: string;
  readonly stats: WorkspaceStats;
  readonly roads: WorkspaceRoads | undefined;
  readonly signIn: SignInState | undefined;
  readonly now: number;
}

/** What of one workspace needs attention, in the order of its weight. */
export function workspaceAttention(view: WorkspaceView): Attention[] {
  return [...outage(view), ...stuck(view), ...lostKeys(view), ...books(view), ...losses(view), ...refusedRoads(view), ...failingSignIn(view), ...waiting(view)];
}

/** What a road was refused for last, when no connection passed every check since. */
export function standingRefusal({ refusal, verifiedAt = 0 }: RoadState): RoadRefusal | undefined {
  return refusal !== undefined && refusal.at >= verifiedAt ? refusal : undefined;
}

function outage({ name, stats: { upstream }, now }: WorkspaceView): Attention[] {
  const { state, since = now, nextTryAt = now, heldAt, reason = 'no reason is known' } = upstream;
  if (state === 'awake') return [];
  const window = heldAt === undefined || state === 'held' ? '' : `, ${roughDuration(heldAt - now)} of the retry window left`;
  const word = state === 'held' ? 'NOT REACHABLE, data is held' : 'NOT REACHABLE';
  const text = `${name}: ${word} since ${timeOf(since)} (${roughDuration(now - since)}), next try ${timeOf(nextTryAt)}${window} (${shortened(reason)})`;
  return [(state === 'held' || now - since >= OUTAGE_MS ? act : look)(text, doctor(name))];
}

function stuck({ name, stats: { upstream, paused, dueSince, lastProgressAt = 0 }, now }: WorkspaceView): Attention[] {
  if (upstream.state !== 'awake' || paused || dueSince === undefined) return [];
  const for_ = now - Math.max(dueSince, lastProgressAt);
  if (for_ < DUE_MS) return [];
  return [act(`${name}: STUCK, nothing has left for ${roughDuration(for_)} although it could`, doctor(name))];
}

function lostKeys({ stats: { unopenable = [] } }: WorkspaceView): Attention[] {
  return unopenable.map(({ keyId, batches }) =>
    act(
      `KEY ${keyId} IS LOST: ${batches} batches cannot be opened; they stay on disk. Restore the key ring's file, then start the relay again, or give them up`,
      `relay keys forget ${keyId}`,
    ),
  );
}

function books({ name, stats: { balance } }: WorkspaceView): Attention[] {
  return balance
    .filter((row) => unaccounted(row) !== 0)
    .map((row) => act(`${name}: THE BALANCE of ${row.kind} does not add up, ${unaccounted(row)} batches are not accounted for`, 'relay support-bundle'));
}

function losses({ name, stats: { lost } }: WorkspaceView): Attention[] {
  if (!lost) return [];
  return [act(`${name}: ${lost.batches} batches (${roughSize(lost.bytes)}) were given up, and the workspace has not been told yet`, 'relay losses list')];
}

function refusedRoads({ name, roads }: WorkspaceView): Attention[] {
  if (!roads) return [];
  const all = [['data', roads.data] as const, ...(roads.signIn ? [['sign-in', roads.signIn] as const] : [])];
  return all.flatMap(([purpose, road]) => {
    const refusal = standingRefusal(road);
    return refusal ? [act(`${name}: NOTHING IS SENT by the ${purpose} path since ${timeOf(refusal.at)}: ${refusal.message}`, doctor(name))] : [];
  });
}

function failingSignIn({ name, signIn, now }: WorkspaceView): Attention[] {
  if (signIn?.lastError === undefined) return [];
  const { endsAt = 0, lastError } = signIn;
  if (endsAt <= now) return [act(`${name}: NO TOKEN, signing in fails: ${shortened(lastError)}`, doctor(name))];
  return [look(`${name}: signing in fails, the token at hand lasts ${roughDuration(endsAt - now)} more: ${shortened(lastError)}`, doctor(name))];
}

function waiting({ name, stats, now }: WorkspaceView): Attention[] {
  const { deadLetters, gettingOld, oldestAt = now, paused, groupsDelayed, indexCounts, workspaceId } = stats;
  return [
    ...(deadLetters.letters > 0
      ? [
          look(
            `${name}: ${deadLetters.letters} dead letters (${answersOf(deadLetters.byStatus)}), the oldest since ${roughDuration(now - (deadLetters.oldestAt ?? now))}`,
            `relay dead-letters list --workspace ${workspaceId.slice(0, 8)}`,
          ),
        ]
      : []),
    ...(gettingOld
      ? [
          look(
            `${name}: data has waited for ${roughDuration(now - oldestAt)}, more than 48 hours: the service will give it the time of its arrival, and cache.maxAge ends its wait`,
            'relay cache status',
          ),
        ]
      : []),
    ...(paused ? [look(`${name}: PAUSED, nothing is sent`, `relay cache resume --workspace ${quoted(name)}`)] : []),
    ...(groupsDelayed > 0 ? [look(`${name}: ${groupsDelayed} groups fail alone and are tried again by themselves`, doctor(name))] : []),
    ...((indexCounts?.failed ?? 0) > 0 ? [look(`${name}: ${indexCounts?.failed} entries of the index are marked as failed`, 'relay support-bundle')] : []),
  ];
}

function answersOf(byStatus: Readonly<Record<string, number>>): string {
  return Object.entries(byStatus)
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');
}

function shortened(reason: string): string {
  return reason.length <= MOST_REASON_CHARS ? reason : `${reason.slice(0, MOST_REASON_CHARS)}…`;
}

function doctor(name: string): string {
  return `relay doctor --workspace ${quoted(name)}`;
}

/** A name as a shell takes it. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
