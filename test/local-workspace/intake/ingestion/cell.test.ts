import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_FIELD_BYTES, toCell } from '../../../../src/local-workspace/intake/ingestion/cell.ts';
import { type ColumnType, readDeclaration } from '../../../../src/local-workspace/intake/ingestion/declaration.ts';
import { declarationOf, RULE } from './cloud.ts';

test('a value becomes what its column is, and nothing where it cannot', () => {
  const cases: [ColumnType, unknown, unknown][] = [
    ['string', 5, '5'],
    ['string', true, 'true'],
    ['string', { a: 1 }, '{"a":1}'],
    ['int', '42', 42],
    ['int', 4.9, 4],
    ['int', 2 ** 31, null],
    ['int', 'x', null],
    ['long', 2 ** 40, 2 ** 40],
    ['long', 'NaN', null],
    ['real', '1e3', 1000],
    ['real', '', null],
    ['boolean', 'TRUE', true],
    ['boolean', 0, false],
    ['boolean', 'yes', null],
    ['datetime', '2026-11-23T09:00:00+01:00', '2026-11-23T08:00:00.000Z'],
    ['datetime', '2026-11-23 08:00:00', '2026-11-23T08:00:00.000Z'],
    ['datetime', '2026-11-23T08:00:00.1234567Z', '2026-11-23T08:00:00.123Z'],
    ['datetime', '23.11.2026', null],
    ['datetime', 5, null],
    ['dynamic', { a: [1] }, { a: [1] }],
    ['string', null, null],
    ['dynamic', undefined, null],
  ];
  for (const [type, value, expected] of cases) assert.deepEqual(toCell(value, type), expected, `${type} ${JSON.stringify(value)}`);
});

test('a field is cut at 64 KB, between characters', () => {
  assert.equal(toCell('x'.repeat(MAX_FIELD_BYTES), 'string'), 'x'.repeat(MAX_FIELD_BYTES));
  assert.equal(toCell('x'.repeat(MAX_FIELD_BYTES + 1), 'string'), 'x'.repeat(MAX_FIELD_BYTES));
  assert.equal(toCell('€'.repeat(MAX_FIELD_BYTES), 'string'), '€'.repeat(Math.floor(MAX_FIELD_BYTES / 3)));
  assert.equal(String(toCell({ long: 'x'.repeat(MAX_FIELD_BYTES) }, 'dynamic')).length, MAX_FIELD_BYTES);
});

test('a declaration that Azure would not take is refused with its place and no secret', () => {
  const columns = [{ name: 'TimeGenerated', type: 'datetime' }] as const;
  const refused = (value: unknown, words: RegExp) =>
    assert.throws(
      () => readDeclaration(value),
      (error: Error) => words.test(error.message) && !error.message.includes('a~secret'),
      String(words),
    );
  refused(declarationOf({ immutableId: 'my-rule' }), /rules\.0\.immutableId: must be dcr-/);
  refused(declarationOf({ streams: { 'Custom-Perf': { table: 'Perf', columns } } }), /table: is no table that Logs Ingestion fills/);
  refused(declarationOf({ streams: { 'Custom-X_CL': { table: 'X_CL', columns: [{ name: 'TenantId', type: 'string' }] } } }), /keeps for itself/);
  refused(declarationOf({ streams: { 'Custom-X_CL': { table: 'X_CL', columns: [{ name: '1st', type: 'string' }] } } }), /must be a letter/);
  refused(declarationOf({}, { apps: [{ clientId: 'x', certificates: ['none'] }] }), /apps\.0\.clientId.*apps\.0\.certificates\.0: must be a certificate/);
  refused('x', /the file/);
  const [rule] = readDeclaration(declarationOf()).rules;
  assert.deepEqual([rule?.immutableId, rule?.requestsPerMinute, rule?.bytesPerMinute], [RULE, 12_000, 2_000_000_000]);
});
