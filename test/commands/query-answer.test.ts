import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQueryAnswer } from '../../src/commands/query-answer.ts';

test('the answers of the Query API are read', () => {
  const columns = [{ name: 'a', type: 'long' }];
  const table = { tables: [{ name: 'PrimaryResult', columns, rows: [[1]] }] };
  assert.deepEqual(readQueryAnswer(200, JSON.stringify(table)), { kind: 'result', columns, rows: [[1]] });
  const error = {
    code: 'PartialError',
    message: 'Some.',
    details: [{ code: 'EngineError', message: 'x', innererror: { code: '1', message: 'Too many rows.' } }],
  };
  const render = { visualization: 'timechart' };
  assert.deepEqual(readQueryAnswer(200, JSON.stringify({ ...table, error, render })), {
    kind: 'result',
    columns,
    rows: [[1]],
    partial: 'Too many rows.',
    render,
  });
  assert.deepEqual(readQueryAnswer(204, ''), { kind: 'no-data' });
});

test('of a refusal the innermost sentence counts, and where it stands', () => {
  const innermost = { code: 'SYN0002', message: 'Not here.', line: 1, pos: 4, token: 'x' };
  const refused = { error: { code: 'BadArgumentError', message: 'outer', innererror: { code: 'SyntaxError', message: 'middle', innererror: innermost } } };
  assert.deepEqual(readQueryAnswer(400, JSON.stringify(refused)), { kind: 'refused', status: 400, message: 'Not here.', at: { line: 1, pos: 4, token: 'x' } });
  assert.deepEqual(readQueryAnswer(403, '{"error":{"code":"InsufficientAccessError","message":"No."}}'), { kind: 'refused', status: 403, message: 'No.' });
});

test('what is no answer of the Query API is not taken for one', () => {
  for (const [status, text] of [
    [200, ''],
    [200, '[]'],
    [200, '{}'],
    [200, 'null'],
    [200, '<html>'],
    [404, 'Not found'],
    [500, '{"message":"x"}'],
  ] as const) {
    assert.equal(readQueryAnswer(status, text), undefined, `${status} ${text}`);
  }
});
