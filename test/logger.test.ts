import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createProgramLog, type LogLevel, type ProgramLog } from '../src/logger.ts';
import { createManualClock, type ManualClock } from './support/manual-clock.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

interface Rig extends ProgramLog {
  readonly clock: ManualClock;
  /** The lines written so far, without their times. */
  lines(): Record<string, unknown>[];
}

function createRig(level: LogLevel = 'info'): Rig {
  const clock = createManualClock(START);
  const written: string[] = [];
  const record = createProgramLog({ level, clock, destination: { write: (line: string) => void written.push(line) } });
  const parsed = (): Record<string, unknown>[] =>
    written.map((line) => {
      const { time: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    });
  return { ...record, clock, lines: parsed };
}

function times(count: number, action: (at: number) => void): void {
  for (let at = 0; at < count; at += 1) action(at);
}

describe("a program's log", () => {
  it('makes of a thousand alike errors five lines and their number, with what they share and not with what they do not', () => {
    const { log, clock, lines } = createRig();
    const cache = log.child({ component: 'cache' });
    times(1000, (at) => cache.error({ workspaceId: 'w', batchId: `b${at}`, reason: 'disk' }, 'a batch could not be kept'));
    assert.equal(lines().length, 5);
    clock.advance(MINUTE_MS);
    assert.deepEqual(lines().slice(5), [
      {
        level: 'error',
        component: 'cache',
        reason: 'disk',
        workspaceId: 'w',
        repeated: 995,
        since: '2026-01-01T00:00:00.000Z',
        msg: 'a batch could not be kept',
      },
    ]);
  });

  it('writes a fresh kind of line at once in the middle of a storm', () => {
    const { log, lines } = createRig();
    times(100, () => log.warn('the same'));
    log.child({ component: 'upstream' }).warn('the same');
    log.error('the same');
    log.warn({ code: 'relay.a.b' }, 'the same');
    assert.equal(lines().length, 8);
  });

  it('writes each line of level info, but for refusals', () => {
    const { log, lines } = createRig();
    times(20, (at) => log.info({ agentId: at }, 'a machine enrolled'));
    assert.equal(lines().length, 20);
    times(20, () => log.info({ code: 'relay.intake.unknown-path' }, 'No service at this path.'));
    assert.equal(lines().length, 25);
  });

  it('waits for nothing once nothing repeats, and with one timer for all kinds', () => {
    const { log, clock, lines } = createRig();
    assert.deepEqual(clock.waits(), []);
    times(10, () => log.warn('one'));
    clock.advance(1_000);
    times(10, () => log.warn('other'));
    assert.deepEqual(clock.waits(), [59_000]);
    clock.advance(59_000);
    assert.deepEqual(clock.waits(), [1_000]);
    clock.advance(1_000);
    assert.deepEqual(clock.waits(), []);
    assert.deepEqual(
      lines().flatMap(({ msg, repeated }) => (repeated === undefined ? [] : [[msg, repeated]])),
      [
        ['one', 5],
        ['other', 5],
      ],
    );
  });

  it('writes what was only counted when it is flushed', () => {
    const { log, lines, flush, clock } = createRig();
    times(7, () => log.error(new Error('it broke')));
    flush();
    assert.deepEqual([lines().length, lines().at(-1)?.['repeated'], lines().at(-1)?.['msg'], clock.waits()], [6, 2, 'it broke', []]);
    flush();
    assert.equal(lines().length, 6);
  });

  it('counts lines by level, repeats among them and summaries not', () => {
    const { log, lineCounts, flush } = createRig();
    times(100, () => log.warn('x'));
    times(3, () => log.info('y'));
    log.error('z');
    log.fatal('the end');
    log.debug('not logged at this level');
    flush();
    assert.deepEqual(lineCounts(), { error: 2, warn: 100, info: 3, debug: 0 });
  });

  it('keeps the last lines as they were written, up to a mebibyte, without secrets', () => {
    const { log, recentLines, lines } = createRig();
    log.warn({ password: 'hunter2' }, 'first');
    assert.deepEqual(
      recentLines().map((line) => (JSON.parse(line) as { msg: string }).msg),
      ['first'],
    );
    assert.ok(!recentLines().join('').includes('hunter2'));
    times(3_000, (at) => log.info({ at, filling: 'x'.repeat(1_000) }, 'long'));
    const kept = recentLines();
    assert.ok(kept.join('').length <= 1024 * 1024 && kept.length > 900);
    assert.deepEqual(JSON.parse(kept.at(-1) ?? '').at, lines().at(-1)?.['at']);
  });

  for (const [how, last, lines] of [
    ['by itself', '', 6],
    ['by a fault', "log.fatal('and out'); process.exit(0);", 7],
  ] as const) {
    it(`lets the process end ${how}, and loses nothing`, async () => {
      const program = `
        const { createProgramLog } = await import(${JSON.stringify(import.meta.resolve('../src/logger.ts'))});
        const { systemClock } = await import(${JSON.stringify(import.meta.resolve('../src/clock.ts'))});
        const { log, flush } = createProgramLog({ level: 'info', clock: systemClock });
        for (const event of ['beforeExit', 'exit']) process.once(event, flush);
        for (let at = 0; at < 1000; at += 1) log.warn({ at }, 'again');
        ${last}
      `;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
      const said = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { repeated?: number });
      assert.deepEqual([said.length, said.at(-1)?.repeated], [lines, 995]);
    });
  }
});
