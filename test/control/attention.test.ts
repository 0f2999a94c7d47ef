import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EMPTY_BALANCE } from '../../src/cache/balance.ts';
import type { CacheStats, WorkspaceStats } from '../../src/cache/cache.ts';
import type { Ground } from '../../src/cache/ground.ts';
import type { Status } from '../../src/control/api.ts';
import { sentenceOf } from '../../src/control/attention.ts';
import { attentionOf } from '../../src/control/attention-of.ts';
import type { WorkspaceRoads } from '../../src/workspace/road-state.ts';
import { GROUND } from '../cache/ground.ts';
import { BANK, START } from '../management-group/rig.ts';
import { STATUS } from './rig.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOW = START + 100 * DAY;

const WELL: WorkspaceStats = {
  workspaceId: BANK,
  upstream: { state: 'awake' },
  balance: [{ kind: 'Event', ...EMPTY_BALANCE }],
  oldestByKind: {},
  groupsWaiting: 0,
  groupsInFlight: 0,
  groupsDelayed: 0,
  deadLetters: { letters: 0, bytes: 0, byStatus: {} },
  lastProgressAt: NOW,
};

function statusWith(changes: Partial<Status>): Status {
  return { ...STATUS, agents: { approved: 10, pending: 0, suspended: 0 }, cache: { ...STATUS.cache, workspaces: [WELL] }, ...changes };
}

function cacheWith(changes: Partial<CacheStats>): Partial<Status> {
  return { cache: { ...STATUS.cache, workspaces: [WELL], ...changes } };
}

const workspaceWith = (changes: Partial<WorkspaceStats>): Partial<Status> => cacheWith({ workspaces: [{ ...WELL, ...changes }] });
const groundWith = (changes: Partial<Ground>): Partial<Status> => cacheWith({ ground: { ...GROUND, ...changes } });
const redisWith = (changes: Partial<Ground['redis']>): Partial<Status> => groundWith({ redis: { ...GROUND.redis, ...changes } });
const roadsWith = (roads: WorkspaceRoads): Partial<Status> => ({ roads: { [BANK]: roads } });
const ending = (role: Status['certificates'][number]['role'], ms: number): Partial<Status> => ({ certificates: [{ role, endsAt: NOW + ms }] });
const resting = (forMs: number): Partial<Status> =>
  workspaceWith({
    upstream: { state: 'resting', since: NOW - forMs, nextTryAt: NOW + 3 * MINUTE, heldAt: NOW - forMs + 120 * MINUTE, reason: 'HTTP 503' },
  });

/** What is so, how grave it is, what is said. */
const CASES: readonly (readonly [what: string, changes: Partial<Status>, severity: 'act' | 'look', sentence: RegExp])[] = [
  [
    'each reason for not being ready',
    cacheWith({ ready: { ok: false, reasons: ['Redis is away.'] } }),
    'act',
    /^NOT READY, .*: Redis is away\. → relay doctor$/,
  ],
  ['a Redis that does not answer', groundWith({ doesRedisAnswer: false }), 'act', /^Redis is connected but did not answer/],
  ['an append-only file that cannot be written', redisWith({ aofOk: false }), 'act', /append-only file failed/],
  ['a snapshot that failed', redisWith({ saveOk: false }), 'look', /last snapshot/],
  ['a Redis that is nearly full', redisWith({ memoryUsedBytes: 400, memoryLimitBytes: 512 }), 'look', /^Redis uses 78 % of its maxmemory/],
  [
    'a short outage',
    resting(10 * MINUTE),
    'look',
    /^the bank: NOT REACHABLE since .* \(10m\), next try .*, 1h 50m of the retry window left \(HTTP 503\) → relay doctor --workspace 'the bank'$/,
  ],
  ['an outage of two tries', resting(16 * MINUTE), 'act', /^the bank: NOT REACHABLE since/],
  [
    'data that is held',
    workspaceWith({ upstream: { state: 'held', since: NOW - 180 * MINUTE, nextTryAt: NOW, heldAt: NOW - 60 * MINUTE } }),
    'act',
    /^the bank: NOT REACHABLE, data is held since .* \(3h\), next try [\d :-]+ \(no reason is known\)/,
  ],
  [
    'something that does not move',
    workspaceWith({ dueSince: NOW - 20 * MINUTE, lastProgressAt: NOW - 12 * MINUTE }),
    'act',
    /^the bank: STUCK, nothing has left for 12m/,
  ],
  [
    'a key that is lost',
    workspaceWith({ unopenable: [{ keyId: 'abcd1234', groups: 1, batches: 7, bytes: 9 }] }),
    'act',
    /^KEY abcd1234 IS LOST: 7 batches .* → relay keys forget abcd1234$/,
  ],
  [
    'a balance that does not add up',
    workspaceWith({ balance: [{ kind: 'Event', ...EMPTY_BALANCE, received: { batches: 3, bytes: 30 } }] }),
    'act',
    /THE BALANCE of Event does not add up, 3 batches are not accounted for → relay support-bundle$/,
  ],
  [
    'data that was given up',
    workspaceWith({ lost: { batches: 4, bytes: 2048 } }),
    'act',
    /^the bank: 4 batches \(2 KiB\) were given up, and the workspace has not been told yet → relay losses list$/,
  ],
  [
    'a path that is refused',
    roadsWith({ data: { kind: 'private-link', verifiedAt: NOW - 2, refusal: { reason: 'not-private', message: 'It is public.', at: NOW - 1 } } }),
    'act',
    /NOTHING IS SENT by the data path since .*: It is public\./,
  ],
  [
    'signing in that is refused its path',
    roadsWith({ data: { kind: 'public' }, signIn: { kind: 'proxy', refusal: { reason: 'proxy-refused', message: 'No.', at: NOW } } }),
    'act',
    /by the sign-in path/,
  ],
  ['a cache that fills', cacheWith({ usedBytes: 850, limitBytes: 1000 }), 'look', /^the cache is 85 % full: 850 B of 1000 B/],
  ['a cache that is full', cacheWith({ usedBytes: 960, limitBytes: 1000 }), 'act', /^the cache is 96 % full/],
  ['a disk that fills', groundWith({ disk: { freeBytes: 9, sizeBytes: 100 } }), 'look', /^the disk of the cache has 9 B of 100 B left/],
  ['a disk that is full', groundWith({ disk: { freeBytes: 4, sizeBytes: 100 } }), 'act', /^the disk of the cache/],
  ['a server certificate that is not renewed', ending('server', 10 * DAY), 'look', /^the server's certificate ends in 10d, at /],
  ['a server certificate that ends', ending('server', 2 * DAY), 'act', /^the server's certificate ends in 2d/],
  ['a certificate that has ended', ending('upstream', -1), 'act', /^the relay's own certificate ENDED at /],
  ['a root that is to be replaced', ending('root', 50 * DAY), 'look', /^the root certificate ends in 50d.* → relay authority rotate$/],
  [
    'signing in that fails while a token is at hand',
    { signIns: { [BANK]: { lastError: 'AADSTS7000222: the secret has expired', endsAt: NOW + 30 * MINUTE } } },
    'look',
    /signing in fails, the token at hand lasts 30m more: AADSTS7000222.* → relay doctor --workspace/,
  ],
  [
    'signing in that fails without a token',
    { signIns: { [BANK]: { lastError: 'AADSTS7000222', endsAt: NOW - 1 } } },
    'act',
    /NO TOKEN, signing in fails: AADSTS7000222 → relay doctor --workspace/,
  ],
  [
    'an agent that does not renew',
    { certificates: [{ role: 'agents', workspaceId: BANK, endsAt: NOW + DAY }] },
    'act',
    /^the first certificate of an agent of the bank ends in 1d/,
  ],
  [
    'dead letters',
    workspaceWith({ deadLetters: { letters: 3, bytes: 9, oldestAt: NOW - DAY, byStatus: { '400': 2, '413': 1 } } }),
    'look',
    /^the bank: 3 dead letters \(400: 2, 413: 1\), the oldest since 1d → relay dead-letters list --workspace 11111111$/,
  ],
  ['data that gets old', workspaceWith({ gettingOld: true, oldestAt: NOW - 3 * DAY }), 'look', /has waited for 3d, more than 48 hours/],
  ['a workspace that is paused', workspaceWith({ paused: true }), 'look', /PAUSED, nothing is sent → relay cache resume --workspace 'the bank'$/],
  ['groups that fail alone', workspaceWith({ groupsDelayed: 2 }), 'look', /2 groups fail alone/],
  ['entries that failed', workspaceWith({ indexCounts: { waiting: 0, prioritized: 0, active: 0, delayed: 0, failed: 1 } }), 'look', /1 entries of the index/],
  ['silent agents', { agentsSilent: 3 }, 'look', /^3 of 10 approved agents are silent/],
  ['an agent that waits', { agents: { approved: 10, pending: 1, suspended: 0 } }, 'look', /^1 agent waits for approval → relay agents list --state pending$/],
];

describe('what needs attention', () => {
  it('is nothing when all is well', () => {
    assert.deepEqual(attentionOf(statusWith({}), NOW), []);
  });

  for (const [what, changes, severity, sentence] of CASES) {
    it(`is ${what}: ${severity}`, () => {
      const [found, ...more] = attentionOf(statusWith(changes), NOW);
      assert.deepEqual([found?.severity, more], [severity, []]);
      assert.match(found ? sentenceOf(found) : '', sentence);
    });
  }

  it('is not a path that was verified since, a short wait, or a paused workspace that has data due', () => {
    const roads = roadsWith({ data: { kind: 'public', verifiedAt: NOW, refusal: { reason: 'no-source', message: 'No.', at: NOW - 1 } } });
    assert.deepEqual(attentionOf(statusWith(roads), NOW), []);
    assert.deepEqual(attentionOf(statusWith(workspaceWith({ dueSince: NOW - DAY, lastProgressAt: NOW - MINUTE })), NOW), []);
    const paused = attentionOf(statusWith(workspaceWith({ paused: true, dueSince: NOW - DAY, lastProgressAt: 0 })), NOW);
    assert.deepEqual(
      paused.map(({ severity }) => severity),
      ['look'],
    );
  });

  it('says first what must be acted on, and lets nothing that others wrote reach a terminal as a command', () => {
    const cache = { ...STATUS.cache, workspaces: [{ ...WELL, groupsDelayed: 1, upstream: { state: 'held' as const, reason: 'no\u001b[2J\nroom' } }] };
    const found = attentionOf(statusWith({ cache, agentsSilent: 1 }), NOW);
    assert.deepEqual(
      found.map(({ severity }) => severity),
      ['act', 'look', 'look'],
    );
    assert.ok(found[0] && /\(no \[2J room\)/.test(sentenceOf(found[0])), sentenceOf(found[0] ?? assert.fail()));
  });
});
