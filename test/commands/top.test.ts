import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EMPTY_BALANCE } from '../../src/cache/balance.ts';
import type { WorkspaceStats } from '../../src/cache/cache.ts';
import { frameOf, openLiveTerminal } from '../../src/commands/live-terminal.ts';
import { ratesBetween, type Sample } from '../../src/commands/rates.ts';
import { type TopView, topLine, topScreen } from '../../src/commands/top-screen.ts';
import { watchRelay } from '../../src/commands/watch-relay.ts';
import type { Status } from '../../src/control/api.ts';
import { createControlRig, STATUS } from '../control/rig.ts';
import { BANK, START } from '../management-group/rig.ts';
import { eventually } from '../support/eventually.ts';
import { startCommand } from '../support/run-relay.ts';

const [STATS] = STATUS.cache.workspaces;

/** A relay that took `received` batches of 100 bytes of each of two kinds, and delivered fewer. */
function statusAfter(received: number, delivered: number, changes: Partial<Status> = {}): Status {
  const amount = (batches: number): { batches: number; bytes: number } => ({ batches, bytes: batches * 100 });
  const stats: WorkspaceStats = {
    ...(STATS ?? assert.fail()),
    upstream: { state: 'awake' },
    dueSince: START + 50_000,
    balance: [
      { kind: 'Event', ...EMPTY_BALANCE, received: amount(received), delivered: amount(delivered), cached: amount(received - delivered) },
      { kind: 'Performance', ...EMPTY_BALANCE, received: amount(received * 2), delivered: amount(received * 2) },
      { kind: 'Alert', ...EMPTY_BALANCE, received: amount(5), delivered: amount(5) },
    ],
  };
  return { ...STATUS, agents: { approved: 2, pending: 0, suspended: 0 }, cache: { ...STATUS.cache, workspaces: [stats] }, ...changes };
}

const sample = (status: Status, at: number): Sample => ({ status, at: START + at });

describe('rates between two samples', () => {
  it('are what moved in a second, by workspace, and by kind the busiest first', () => {
    const rates = ratesBetween(sample(statusAfter(10, 5), 60_000), sample(statusAfter(30, 10), 62_000));
    assert.deepEqual(rates, [
      {
        workspaceId: BANK,
        in: { batches: 30, bytes: 3_000 },
        out: { batches: 22.5, bytes: 2_250 },
        kinds: [
          { kind: 'Performance', in: { batches: 20, bytes: 2_000 }, out: { batches: 20, bytes: 2_000 } },
          { kind: 'Event', in: { batches: 10, bytes: 1_000 }, out: { batches: 2.5, bytes: 250 } },
        ],
      },
    ]);
  });

  it('are not known after the first sample, of another process, or when no time has passed', () => {
    const [before, after] = [sample(statusAfter(10, 5), 0), sample(statusAfter(30, 10), 2_000)];
    assert.equal(ratesBetween(undefined, after), undefined);
    assert.equal(ratesBetween(before, { ...after, status: { ...after.status, pid: 43 } }), undefined);
    assert.equal(ratesBetween(before, { ...after, status: { ...after.status, startedAt: START + 1 } }), undefined);
    assert.equal(ratesBetween(before, { ...after, at: before.at }), undefined);
  });
});

describe('what relay top shows', () => {
  const [before, after] = [sample(statusAfter(10, 5), 60_000), sample(statusAfter(30, 10), 62_000)];
  const view: TopView = { answers: true, status: after.status, rates: ratesBetween(before, after), now: after.at };

  it('is a screen with attention, workspaces and the busiest kinds', () => {
    const text = topScreen({ ...view, status: { ...after.status, agentsSilent: 1 } }, 2_000).join('\n');
    assert.match(text, /^relay 1\.2\.3, ready, running since 2026-11-23 00:00:00 \(pid 42\)\n\nLOOK {2}1 of 2 approved agents are silent → /);
    assert.match(text, /\nthe bank +reachable +- +30 +2\.9 KiB +22\.5 +2\.2 KiB +20 +2\.0 KiB +1m 2s +12s +1\n/);
    assert.match(text, /\nBUSIEST KIND +WORKSPACE .*\nPerformance +the bank +20 +2\.0 KiB .*\nEvent +the bank +10 +1000 B +2\.5 +250 B +1m 2s\n/);
    assert.match(text, /\n2026-11-23 00:01:02 UTC, every 2s; q ends$/);
  });

  it('has hyphens for rates after the first answer, and says when the next try is', () => {
    const [workspace] = after.status.cache.workspaces;
    const resting = {
      ...(workspace ?? assert.fail()),
      upstream: { state: 'resting' as const, since: after.at - 1_000, nextTryAt: after.at + 479_000, reason: 'HTTP 503' },
    };
    const status = { ...after.status, cache: { ...after.status.cache, workspaces: [resting] } };
    const text = topScreen({ answers: true, status, rates: undefined, now: after.at }, 2_000).join('\n');
    assert.match(text, /\nthe bank +NOT REACHABLE +7m 59s +- +- +- +- +20 /);
    assert.doesNotMatch(text, /BUSIEST/);
  });

  it('is one line elsewhere', () => {
    assert.equal(
      topLine(view),
      '2026-11-23 00:01:02 ready | the bank: reachable, in 30/s 2.9 KiB/s, out 22.5/s 2.2 KiB/s, cached 20 (2.0 KiB), oldest 1m 2s | nothing needs attention',
    );
  });

  it('says that no relay answers, and why', () => {
    const away: TopView = { answers: false, reason: 'No relay\nis there.', now: START };
    assert.deepEqual(topScreen(away, 1_000).slice(0, 3), ['no relay answers, trying again', '', 'No relay is there.']);
    assert.equal(topLine(away), '2026-11-23 00:00:00 no relay answers, trying again: No relay is there.');
  });
});

describe('the live terminal', () => {
  it('shows what fits', () => {
    const shown = frameOf(['short', 'much too long', 'third', 'fourth'], { columns: 8, rows: 3 });
    assert.equal(shown, '\u001b[Hshort\u001b[K\r\nmuch to…\u001b[K\r\n…\u001b[K\u001b[J');
  });

  it('takes the alternate screen, and gives the other back once', () => {
    const written: string[] = [];
    const terminal = openLiveTerminal({ write: (text) => written.push(text) });
    terminal.draw(['x']);
    terminal.close();
    terminal.close();
    terminal.draw(['y']);
    assert.deepEqual([written.length, written[0]?.includes('\u001b[?1049h'), written[2]?.endsWith('\u001b[?1049l')], [3, true, true]);
  });
});

describe('watching a relay', () => {
  it('goes on while none answers, and begins to count anew when another is there', async () => {
    const answers: (Status | Error)[] = [
      statusAfter(10, 5),
      statusAfter(20, 5),
      new Error('gone'),
      statusAfter(1, 1, { pid: 43 }),
      statusAfter(2, 2, { pid: 43 }),
    ];
    const shown: string[] = [];
    let at = START;
    await watchRelay({
      async ask() {
        const next = answers.shift() ?? assert.fail();
        if (next instanceof Error) throw next;
        return next;
      },
      show: (view) => void shown.push(view.answers ? `${view.rates?.[0]?.in.batches ?? '-'}` : view.reason),
      async pause() {
        at += 1_000;
      },
      now: () => at,
      ended: new AbortController().signal,
      times: 5,
    });
    assert.deepEqual(shown, ['-', '30', 'gone', '-', '3']);
  });

  it('ends at once when it is told to, also while the relay says nothing', async () => {
    const ending = new AbortController();
    const shown: TopView[] = [];
    const watching = watchRelay({
      ask: (signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
      show: (view) => void shown.push(view),
      pause: () => Promise.resolve(),
      now: () => START,
      ended: ending.signal,
    });
    ending.abort();
    await watching;
    assert.deepEqual(shown, []);
  });
});

describe('relay top', () => {
  it('prints a line each interval without a terminal, finds a relay that comes back, and ends well by a signal', async () => {
    const first = await createControlRig();
    const top = startCommand(['top', '--every', '200ms', '--socket', first.socket]);
    await eventually('it shows the relay', () => / ready \| the bank: HELD, next try in 0s, in -, out -, cached 0 /.test(top.out()));
    await first[Symbol.asyncDispose]();
    await eventually('it says that none answers', () => /no relay answers, trying again: No relay answers at /.test(top.out()));
    const { code, err } = await top.end('SIGINT');
    assert.deepEqual([code, err], [0, '']);
  });

  it('gives JSON, a value a line', async () => {
    await using rig = await createControlRig();
    const { code, out } = await startCommand(['top', '--every', '200ms', '--times', '2', '--json', '--socket', rig.socket]).ended;
    const [one, two] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { answers: boolean; rates: unknown; attention: unknown[] });
    assert.deepEqual(
      [code, one?.answers, one?.rates, two?.rates],
      [0, true, null, [{ workspaceId: BANK, in: { batches: 0, bytes: 0 }, out: { batches: 0, bytes: 0 }, kinds: [] }]],
    );
    assert.ok((two?.attention.length ?? 0) > 0);
  });
});
