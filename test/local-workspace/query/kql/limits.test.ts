import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chunk, Scanner } from '../../../../src/local-workspace/tables/scan.ts';
import type { Vector } from '../../../../src/local-workspace/tables/vector.ts';
import { ask, rowsOf, tableOf } from './site.ts';

/** A table of numbers, from 0 on, in chunks of 50,000 rows; `t` is the number as a text. */
function createNumbers(chunks: number): Scanner & { readonly given: () => number } {
  let given = 0;
  const size = 50_000;
  const chunk = (place: number): Chunk => {
    const values = Float64Array.from({ length: size }, (_, row) => ((row * 7_919) % size) + place * size);
    const number: Vector = { kind: 'number', type: 'long', values };
    const dictionary = Array.from(values, String);
    const text: Vector = { kind: 'text', type: 'string', dictionary, codes: Uint32Array.from(dictionary.keys()) };
    return {
      rows: size,
      vectors: new Map<string, Vector>([
        ['n', number],
        ['t', text],
      ]),
    };
  };
  return {
    given: () => given,
    tables: () => [
      {
        name: 'Numbers',
        columns: [
          { name: 'n', type: 'long' },
          { name: 't', type: 'string' },
        ],
      },
    ],
    async *scan() {
      for (let place = 0; place < chunks; place += 1) {
        given += 1;
        yield chunk(place);
      }
    },
  };
}

test('an answer has no more rows than it may, and says when some are left off', async () => {
  const limits = { rows: 3, bytes: 1_000_000 };
  const cut = await tableOf('Events | project Size', { limits });
  assert.equal(cut.rows.length, 3);
  assert.deepEqual(cut.truncated, { reason: 'rows' });
  assert.equal((await tableOf('Events | take 3', { limits })).truncated, undefined);
});

test('an answer has no more bytes than it may, and says when some rows are left off', async () => {
  const cut = await tableOf('Events | project Message', { limits: { rows: 1_000, bytes: 60 } });
  assert.deepEqual(cut.rows, [['Service started'], ['Failed password for admin']]);
  assert.deepEqual(cut.truncated, { reason: 'bytes' });
});

test('sorting, grouping and joining many rows go over chunks', async () => {
  const scanner = createNumbers(4);
  assert.deepEqual(await rowsOf('Numbers | sort by n asc | where n % 50000 == 0 | project n', { scanner }), [[0], [50_000], [100_000], [150_000]]);
  assert.deepEqual(await rowsOf('Numbers | sort by t desc | take 2 | project t', { scanner }), [['99999'], ['99998']]);
  assert.deepEqual(await rowsOf('Numbers | top 3 by n', { scanner }), [
    [199_999, '199999'],
    [199_998, '199998'],
    [199_997, '199997'],
  ]);
  assert.deepEqual(await rowsOf('Numbers | top 100000 by n asc | summarize count(), min(n), max(n)', { scanner }), [[100_000, 0, 99_999]]);
  assert.deepEqual(await rowsOf('Numbers | summarize n = count() by x = n % 10 | summarize count(), sum(n), min(n)', { scanner }), [[10, 200_000, 20_000]]);
  assert.deepEqual(await rowsOf('Numbers | distinct t | count', { scanner }), [[200_000]]);
  assert.deepEqual(await rowsOf('Numbers | join kind=inner (Numbers | where n < 10) on t | count', { scanner }), [[10]]);
  assert.deepEqual(
    await rowsOf('Numbers | extend k = 1 | where n < 300 | join kind=inner (Numbers | where n < 300 | extend k = 1) on k | count', { scanner }),
    [[90_000]],
  );
});

test('a query that would hold too much memory is ended and told', async () => {
  const limits = { rows: 1_000, bytes: 1_000_000, stateBytes: 1_000_000 };
  const queries = [
    'Numbers | sort by n',
    'Numbers | summarize count() by t',
    'Numbers | distinct t',
    'Numbers | join kind=inner Numbers on t',
    'Numbers | summarize make_list(t)',
    'Numbers | summarize count_distinct(n)',
    'Numbers | summarize arg_max(n, *) by t',
    'Numbers | top 100000 by n',
  ];
  for (const text of queries) {
    const answer = await ask(text, { scanner: createNumbers(4), limits });
    assert.equal(answer.kind, 'too-large', text);
    assert.match(JSON.stringify(answer), /1000000 bytes of memory/);
  }
  assert.equal((await ask('Numbers | summarize dcount(t), percentile(n, 50)', { scanner: createNumbers(4), limits })).kind, 'table');
});

test('memory that is given back may be used again', async () => {
  const limits = { rows: 1_000, bytes: 1_000_000, stateBytes: 15_000_000 };
  assert.deepEqual(await rowsOf('Numbers | top 1 by n | project n', { scanner: createNumbers(40), limits }), [[1_999_999]]);
  assert.deepEqual(await rowsOf('Numbers | summarize arg_max(n, t) by x = 1', { scanner: createNumbers(40), limits }), [[1, 1_999_999, '1999999']]);
  assert.deepEqual(await rowsOf('Numbers | top 30000 by n | count', { scanner: createNumbers(40), limits }), [[30_000]]);
});

test('texts that double themselves are ended and told', async () => {
  const doubling = Array.from({ length: 30 }, () => 's = strcat(s, s)').join(' | extend ');
  const answer = await ask(`print s = 'aaaaaaaa' | extend ${doubling}`);
  assert.equal(answer.kind, 'too-large');
  const inLets = Array.from({ length: 30 }, (_, index) => `let s${index + 1} = strcat(s${index}, s${index});`).join(' ');
  assert.equal((await ask(`let s0 = 'aaaaaaaa'; ${inLets} print s30`)).kind, 'too-large');
});

test('a query whose caller gives up ends between chunks', async () => {
  const scanner = createNumbers(1_000);
  const caller = new AbortController();
  let breaths = 0;
  const breathe = async (): Promise<void> => {
    breaths += 1;
    if (breaths === 5) caller.abort();
  };
  const answer = await ask('Numbers | summarize count() by n % 7', { scanner, signal: caller.signal, breathe });
  assert.deepEqual(answer, { kind: 'cancelled' });
  assert.ok(scanner.given() < 10, `${scanner.given()} chunks were read`);
});

test('a join that makes very many rows can be given up too', async () => {
  const caller = new AbortController();
  let breaths = 0;
  const breathe = async (): Promise<void> => {
    breaths += 1;
    if (breaths === 50) caller.abort();
  };
  const text = 'Numbers | extend k = 1 | join kind=inner (Numbers | extend k = 1) on k | count';
  assert.deepEqual(await ask(text, { scanner: createNumbers(2), signal: caller.signal, breathe }), { kind: 'cancelled' });
});

test('a regular expression takes time by the length of the text, not by its own shape', async () => {
  const text = `print s = '${'a'.repeat(5_000)}!' | where s matches regex '(a+)+$' or s matches regex '(a|a)*$$b' | count`;
  assert.deepEqual(await rowsOf(text), [[0]]);
});
