import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogRepeats } from '../src/log-repeats.ts';

const LIMITS = { windowMs: 60_000, linesPerWindow: 2, mostKinds: 3 };
const START = 1_000_000;

/** Plays lines such as `a@0` (kind and second); tells what would stand in the log: `a`, and `a+3@0` for three that were only counted since second 0. */
function play(lines: string, limits = LIMITS): string {
  const repeats = createLogRepeats<string>(limits);
  const said: string[] = [];
  const say = (ended: ReturnType<typeof repeats.endAll>): void => {
    for (const { line, count, since } of ended) said.push(`${line}+${count}@${(since - START) / 1000}`);
  };
  for (const each of lines.split(' ')) {
    const [kind = '', second = ''] = each.split('@');
    const now = START + Number(second) * 1000;
    if (kind === '-') {
      say(repeats.ended(now));
      continue;
    }
    const { isWritten, ended } = repeats.note(kind, kind, now);
    say(ended);
    if (isWritten) said.push(kind);
  }
  said.push('|');
  say(repeats.endAll());
  return said.join(' ');
}

const CASES: readonly (readonly [name: string, lines: string, said: string])[] = [
  ['writes the first lines of a kind', 'a@0 a@1', 'a a |'],
  ['counts further ones until the window ends, and then tells their number and since when', 'a@0 a@1 a@2 a@3 a@59 -@60', 'a a a+3@0 |'],
  ['tells nothing at the end of a window in which all was written', 'a@0 a@1 -@60', 'a a |'],
  ['writes a line of a fresh kind at once, whatever else repeats', 'a@0 a@0 a@0 b@1 a@1', 'a a b | a+2@0'],
  ['writes again after the window, the summary first', 'a@0 a@1 a@2 a@61 a@62 a@63', 'a a a+1@0 a a | a+1@61'],
  ['gives the summary of a kind with the next line of another one', 'a@0 a@1 a@2 b@70', 'a a a+1@0 b |'],
  ['loses nothing when all windows are ended early', 'a@0 a@1 a@2 b@3 b@3 b@3', 'a a b b | a+1@0 b+1@3'],
  ['lets the oldest kind give way with its summary, when there are too many', 'a@0 a@0 a@0 b@1 c@2 d@3', 'a a b c a+1@0 d |'],
  ['is not held up by a clock that is set back', 'a@100 a@100 a@100 a@1', 'a a a+1@100 a |'],
];

describe('lines of the log that repeat', () => {
  for (const [name, lines, said] of CASES) it(name, () => assert.equal(play(lines), said));

  it('tells when the next window ends', () => {
    const repeats = createLogRepeats<string>(LIMITS);
    assert.equal(repeats.nextEnd(), undefined);
    repeats.note('a', 'a', START);
    repeats.note('b', 'b', START + 5_000);
    assert.equal(repeats.nextEnd(), START + 60_000);
    repeats.ended(START + 60_000);
    assert.equal(repeats.nextEnd(), START + 65_000);
  });

  it('keeps no more kinds than it may, and still accounts for each line', () => {
    const repeats = createLogRepeats<number>({ ...LIMITS, mostKinds: 10 });
    let written = 0;
    let summarized = 0;
    const add = (ended: ReturnType<typeof repeats.endAll>): void => {
      summarized += ended.reduce((sum, { count }) => sum + count, 0);
    };
    for (let at = 0; at < 10_000; at += 1) {
      const { isWritten, ended } = repeats.note(`kind ${(at * 7) % 13}`, at, START + at * 10);
      if (isWritten) written += 1;
      add(ended);
    }
    const left = repeats.endAll();
    assert.ok(left.length <= 10);
    add(left);
    assert.equal(written + summarized, 10_000);
  });
});
