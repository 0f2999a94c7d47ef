import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createJournal, hasJournal } from '../../../src/agent/collectors/journal.ts';
import { readJournalEntry } from '../../../src/agent/collectors/journal-entry.ts';
import { openPositions } from '../../../src/agent/collectors/log-positions.ts';
import type { LogSource } from '../../../src/agent/collectors/log-source.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { eventually, makeTestFolder } from '../test-folder.ts';

interface Stage extends AsyncDisposable {
  readonly command: string;
  readonly clock: ManualClock;
  /** Starts following; the position is kept from one call to the next. */
  follow(): Promise<LogSource>;
  /** The arguments of each run of the program. */
  runs(): Promise<string[]>;
  write(...entries: object[]): Promise<void>;
}

/** A program in journalctl's place: it notes its arguments and prints the entries there are, then those that come. */
async function setStage(body = 'exec tail -n +1 -f "$dir/entries"'): Promise<Stage> {
  const folder = await makeTestFolder();
  const command = join(folder.path, 'journalctl');
  await writeFile(command, `#!/bin/sh\ndir=$(dirname "$0")\necho "$*" >> "$dir/runs"\n${body}\n`, { mode: 0o755 });
  await writeFile(join(folder.path, 'entries'), '');
  await writeFile(join(folder.path, 'runs'), '');
  const clock = createManualClock();
  const opened: LogSource[] = [];
  return {
    command,
    clock,
    async follow() {
      const source = createJournal({ command, firstLines: 200, hostName: 'web01', positions: await openPositions(folder.path), clock, log: silentLogger });
      opened.push(source);
      return source;
    },
    runs: async () => (await readFile(join(folder.path, 'runs'), 'utf8')).split('\n').slice(0, -1),
    write: (...entries) => appendFile(join(folder.path, 'entries'), entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')),
    async [Symbol.asyncDispose]() {
      for (const source of opened) await source.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function entry(number: number): object {
  return { __CURSOR: `s=${number}`, __REALTIME_TIMESTAMP: `${1_767_323_045_000_000 + number}`, MESSAGE: `message ${number}`, SYSLOG_IDENTIFIER: 'test' };
}

async function nextMessages(source: LogSource): Promise<string[]> {
  const chunk = await eventually('entries', () => source.next());
  await chunk.commit();
  return chunk.records.map(({ Message }) => Message);
}

describe('the journal', () => {
  it('is followed from its last entries, and from the last committed one after a restart', async () => {
    await using stage = await setStage();
    const before = await stage.follow();
    await stage.write(entry(1), entry(2));
    assert.deepEqual(await nextMessages(before), ['message 1', 'message 2']);
    assert.equal(await before.next(), undefined);
    await before.close();
    await stage.follow();
    const runs = await eventually('the second run', async () => ((await stage.runs()).length === 2 ? await stage.runs() : undefined));
    assert.match(runs[0] ?? '', /^-f -o json --all .* -n 200$/);
    assert.match(runs[1] ?? '', /--no-tail --after-cursor=s=2$/);
  });

  it('gives the same entries again when they were not committed', async () => {
    await using stage = await setStage();
    const source = await stage.follow();
    await stage.write(entry(1));
    const first = await eventually('entries', () => source.next());
    await stage.write(entry(2));
    await eventually('both', async () => (await source.next())?.records.length === 2);
    await first.commit();
    assert.deepEqual(await nextMessages(source), ['message 2']);
  });

  it('is started again when the program ends, behind the entries it has given', async () => {
    await using stage = await setStage('cat "$dir/entries"');
    await stage.write(entry(1));
    const source = await stage.follow();
    assert.deepEqual(await nextMessages(source), ['message 1']);
    await eventually('a restart is planned', () => stage.clock.waits().length === 1);
    stage.clock.advance(5_000);
    const runs = await eventually('the second run', async () => ((await stage.runs()).length === 2 ? await stage.runs() : undefined));
    assert.match(runs[1] ?? '', /--after-cursor=s=1$/);
  });

  it('goes on by time when the program no longer knows the cursor', async () => {
    await using stage = await setStage('case "$*" in *after-cursor*) exit 1;; *) cat "$dir/entries";; esac');
    await stage.write(entry(1));
    await nextMessages(await stage.follow());
    for (const run of [2, 3]) {
      await eventually('a restart is planned', () => stage.clock.waits().length === 1);
      stage.clock.advance(5_000);
      await eventually('the next run', async () => (await stage.runs()).length === run);
    }
    assert.match((await stage.runs())[2] ?? '', /--since=@1767323045$/);
  });

  it('counts as there only when it holds entries', async () => {
    await using full = await setStage('echo "{}"');
    await using empty = await setStage('echo "-- No entries --" >&2');
    await using failing = await setStage('exit 1');
    assert.deepEqual(await Promise.all([full, empty, failing].map(({ command }) => hasJournal(command))), [true, false, false]);
    assert.equal(await hasJournal('/nonexistent/journalctl'), false);
  });
});

describe('a journal entry', () => {
  const facts = { __CURSOR: 's=1', __REALTIME_TIMESTAMP: '1767323045678901' };

  it('is read with its names for facility and severity', () => {
    const line = JSON.stringify({ ...facts, MESSAGE: 'hello', PRIORITY: '3', SYSLOG_FACILITY: '10', SYSLOG_IDENTIFIER: 'sshd', SYSLOG_PID: '7', _PID: '8' });
    assert.deepEqual(readJournalEntry(line), {
      cursor: 's=1',
      timeMs: 1_767_323_045_678,
      message: 'hello',
      ident: 'sshd',
      processId: '7',
      facility: 'authpriv',
      severity: 'err',
    });
  });

  it('is read when its message is bytes or comes twice', () => {
    assert.equal(readJournalEntry(JSON.stringify({ ...facts, MESSAGE: [104, 105, 255] }))?.message, 'hi\uFFFD');
    assert.equal(readJournalEntry(JSON.stringify({ ...facts, MESSAGE: ['one', 'two'] }))?.message, 'one');
  });

  it('is none without a message, a cursor or a time, or when the line is no JSON', () => {
    for (const line of ['', '{', 'null', '[]', '{"MESSAGE":"x"}', JSON.stringify({ ...facts, MESSAGE: null })])
      assert.equal(readJournalEntry(line), undefined, line);
  });
});
