import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenKeysOf } from '../../../src/local-workspace/keys/token-keys.ts';

/** As pkcs11-tool 0.23 writes them. */
function object(label: string, id: string | undefined): string {
  const idLine = id === undefined ? '' : `  ID:         ${id}\n`;
  return `Public Key Object; RSA 2048 bits\n  label:      ${label}\n${idLine}  Usage:      encrypt, verify, wrap\n  Access:     local\n`;
}

test('the keys with the label are found, by their ids as numbers, the highest last', () => {
  const listing = [object('bank', '0a'), object('plant', 'ff'), object('bank', '09'), object('bank', '0100'), object('bank', undefined), object('', '01')].join(
    '',
  );
  assert.deepEqual(tokenKeysOf(listing, 'bank'), [{ id: '09' }, { id: '0a' }, { id: '0100' }]);
  assert.deepEqual(tokenKeysOf(listing, 'plant'), [{ id: 'ff' }]);
});

test('a label is matched whole and as it is, and what is no listing has no keys', () => {
  const listing = [object('bank of x', '01'), object('a.c', '02'), object('ID:         07', '03')].join('');
  for (const [label, ids] of [
    ['bank', []],
    ['abc', []],
    ['a.c', ['02']],
    ['ID:         07', ['03']],
  ] as const) {
    assert.deepEqual(tokenKeysOf(listing, label).map(({ id }) => id), ids, label); // biome-ignore format: one line
  }
  assert.deepEqual(tokenKeysOf('', 'bank'), []);
  assert.deepEqual(tokenKeysOf('\u0000rubbish\n  label: bank\n  ID: ../..\n', 'bank'), []);
});
