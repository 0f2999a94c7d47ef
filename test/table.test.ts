import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableOf } from '../src/table.ts';

const COLUMNS = [
  ['HOST', ([host]: readonly [string, number]) => host],
  ['BATCHES', ([, batches]: readonly [string, number]) => batches],
] as const;

describe('a table', () => {
  it('stands in columns without frames, blanks at the end of a line left out', () => {
    assert.equal(
      tableOf(
        [
          ['web01', 7],
          ['a', 12],
        ],
        COLUMNS,
      ),
      'HOST   BATCHES\nweb01  7\na      12',
    );
    assert.equal(tableOf([], COLUMNS), 'HOST  BATCHES');
  });

  it('has one line for each row, whatever its cells hold', () => {
    assert.equal(tableOf([['two\nlines\u001b[2J', 1]], COLUMNS), 'HOST           BATCHES\ntwo lines [2J  1');
  });

  it('keeps its columns beside wide characters', () => {
    assert.equal(
      tableOf(
        [
          ['東京', 1],
          ['web1', 2],
        ],
        COLUMNS,
      ),
      'HOST  BATCHES\n東京  1\nweb1  2',
    );
  });
});
