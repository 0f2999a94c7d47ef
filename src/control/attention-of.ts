/** What of a relay's status needs a person, judged in one place: `relay status`, `relay top` and the support bundle tell the same. Pure. */
import type { CacheStats } from '../cache/cache.ts';
import { roughDuration, roughSize } from '../rough.ts';
import type { Status } from './api.ts';
import { type Attention, act, look, timeOf } from './attention.ts';
import { groupAttention } from './group-attention.ts';
import { workspaceAttention } from './workspace-attention.ts';

const DAY_MS = 86_400_000;
const CACHE = { look: 0.8, act: 0.95 };
const DISK = { look: 0.1, act: 0.05 };
/** Beyond four fifths the relay takes nothing more. */
const REDIS_MEMORY = 0.7;
/** How long before its end a certificate is told of, and must be acted on. All but the root are renewed at two thirds of their life. */
const CERTIFICATES = {
  server: { lookMs: 14 * DAY_MS, actMs: 3 * DAY_MS, what: "the server's certificate", command: 'relay doctor' },
  root: { lookMs: 60 * DAY_MS, actMs: 14 * DAY_MS, what: 'the root certificate', command: 'relay authority rotate' },
  agents: { lookMs: 14 * DAY_MS, actMs: 3 * DAY_MS, what: 'the first certificate of an agent', command: 'relay agents list --state approved' },
  upstream: { lookMs: 14 * DAY_MS, actMs: 3 * DAY_MS, what: "the relay's own certificate", command: 'relay doctor' },
} as const;

/** Everything that needs attention, what must be acted on first. `now`: milliseconds since 1970. */
export function attentionOf(status: Status, now: number): readonly Attention[] {
  const workspaces = status.cache.workspaces.flatMap((stats) =>
    workspaceAttention({
      name: nameOf(status, stats.workspaceId),
      stats,
      signIn: status.signIns[stats.workspaceId],
      roads: status.roads[stats.workspaceId],
      now,
    }),
  );
  const all = [
    ...readiness(status.cache),
    ...workspaces,
    ...room(status.cache),
    ...certificates(status, now),
    ...groupAttention(status, now),
    ...agents(status),
  ];
  return all.toSorted((a, b) => Number(a.severity === 'look') - Number(b.severity === 'look'));
}

function nameOf({ workspaceNames }: Status, workspaceId: string): string {
  return workspaceNames[workspaceId] ?? workspaceId;
}

function readiness({ ready, ground }: CacheStats): Attention[] {
  const { redis, doesRedisAnswer, isRedisConnected } = ground;
  return [
    ...(ready.ok ? [] : ready.reasons.map((reason) => act(`NOT READY, agents are refused: ${reason}`, 'relay doctor'))),
    ...(isRedisConnected && !doesRedisAnswer ? [act('Redis is connected but did not answer when it was asked last', 'relay doctor')] : []),
    ...(redis.aofOk ? [] : [act("Redis's last write to its append-only file failed: its disk may be full", 'relay doctor')]),
    ...(redis.saveOk ? [] : [look("Redis's last snapshot, or its last rewrite of the append-only file, failed", 'relay doctor')]),
  ];
}

function room({ usedBytes, limitBytes, ground: { disk, redis } }: CacheStats): Attention[] {
  const used = shareOf(usedBytes, limitBytes);
  const free = disk.sizeBytes === 0 ? 1 : disk.freeBytes / disk.sizeBytes;
  const memory = shareOf(redis.memoryUsedBytes, redis.memoryLimitBytes);
  const full = `the cache is ${percent(used)} full: ${roughSize(usedBytes)} of ${roughSize(limitBytes)}; when it is full, data of a lower kind is dropped`;
  const short = `the disk of the cache has ${roughSize(disk.freeBytes)} of ${roughSize(disk.sizeBytes)} left`;
  return [
    ...graded(used, CACHE, full, 'relay cache status'),
    ...graded(-free, { look: -DISK.look, act: -DISK.act }, short, 'df -h'),
    ...(memory >= REDIS_MEMORY ? [look(`Redis uses ${percent(memory)} of its maxmemory; above 80 % the relay takes nothing more`, 'relay doctor')] : []),
  ];
}

function certificates(status: Status, now: number): Attention[] {
  return status.certificates.flatMap(({ role, workspaceId, endsAt }) => {
    const { what, command, lookMs, actMs } = CERTIFICATES[role];
    const whose = workspaceId === undefined ? what : `${what} ${role === 'upstream' ? 'at' : 'of'} ${nameOf(status, workspaceId)}`;
    const left = endsAt - now;
    if (left <= 0) return [act(`${whose} ENDED at ${timeOf(endsAt)}`, command)];
    const text = `${whose} ends in ${roughDuration(left)}, at ${timeOf(endsAt)}`;
    return graded(-left, { look: -lookMs, act: -actMs }, text, command);
  });
}

function agents({ agents: { pending, approved }, agentsSilent }: Status): Attention[] {
  return [
    ...(agentsSilent > 0 ? [look(`${agentsSilent} of ${approved} approved agents are silent`, 'relay agents list --state approved --silent-for 15m')] : []),
    ...(pending > 0 ? [look(`${pending} ${pending === 1 ? 'agent waits' : 'agents wait'} for approval`, 'relay agents list --state pending')] : []),
  ];
}

function graded(value: number, from: { readonly look: number; readonly act: number }, text: string, command: string): Attention[] {
  if (value >= from.act) return [act(text, command)];
  return value >= from.look ? [look(text, command)] : [];
}

function shareOf(used: number, limit: number): number {
  return limit === 0 ? 0 : used / limit;
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}
