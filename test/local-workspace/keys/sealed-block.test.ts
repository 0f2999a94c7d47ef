import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeDataKey } from '../../../src/local-workspace/keys/data-key.ts';
import { deriveFileKey } from '../../../src/local-workspace/keys/file-key.ts';
import { BLOCK_OVERHEAD_BYTES, openBlock, sealBlock } from '../../../src/local-workspace/keys/sealed-block.ts';
import { BANK, PLANT } from './workspaces.ts';

const PLACE = { workspaceId: BANK, file: 'segment-1', place: 'column 3' };

test('blocks of every size open as they were sealed, and are as much longer as is said', () => {
  const key = deriveFileKey(makeDataKey(), 'segment', 'segment-1');
  for (const size of [0, 1, 15, 16, 17, 1024, 1_048_576]) {
    const plain = randomBytes(size);
    const sealed = Buffer.concat(sealBlock(plain, key, PLACE));
    assert.equal(sealed.length, size + BLOCK_OVERHEAD_BYTES);
    assert.ok(openBlock(sealed, key, PLACE).equals(plain), `${size} bytes`);
  }
});

test('the same block is never sealed twice the same', () => {
  const key = makeDataKey();
  assert.notDeepEqual(sealBlock(Buffer.from('x'), key, PLACE)[0], sealBlock(Buffer.from('x'), key, PLACE)[0]);
});

test('a block opens in its own place alone, and with its own key', () => {
  const dataKey = makeDataKey();
  const key = deriveFileKey(dataKey, 'segment', 'segment-1');
  const sealed = Buffer.concat(sealBlock(Buffer.from('what it says'), key, PLACE));
  for (const [what, place, otherKey] of [
    ['another workspace', { ...PLACE, workspaceId: PLANT }, key],
    ['another file', { ...PLACE, file: 'segment-2' }, key],
    ['another place', { ...PLACE, place: 'column 4' }, key],
    ['a place that begins where the file ends', { ...PLACE, file: 'segment-1","column', place: '3' }, key],
    ['the key of another file', PLACE, deriveFileKey(dataKey, 'segment', 'segment-2')],
    ['the key of another purpose', PLACE, deriveFileKey(dataKey, 'staging', 'segment-1')],
    ['the key of another workspace', PLACE, deriveFileKey(makeDataKey(), 'segment', 'segment-1')],
  ] as const) {
    assert.throws(() => openBlock(sealed, otherKey, place), { code: 'relay.local-workspace.cannot-open-block' }, what);
  }
});

test('a block with any byte changed, cut or added does not open', () => {
  const key = makeDataKey();
  const sealed = Buffer.concat(sealBlock(Buffer.from('what it says'), key, PLACE));
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => openBlock(changed, key, PLACE), { code: 'relay.local-workspace.cannot-open-block' }, `byte ${at}`);
    assert.throws(() => openBlock(sealed.subarray(0, at), key, PLACE), { code: 'relay.local-workspace.cannot-open-block' }, `${at} bytes`);
  }
  assert.throws(() => openBlock(Buffer.concat([sealed, Buffer.alloc(1)]), key, PLACE), { code: 'relay.local-workspace.cannot-open-block' });
});

test('the key of a file is the same each time', () => {
  const dataKey = makeDataKey();
  assert.ok(deriveFileKey(dataKey, 'segment', 'a').equals(deriveFileKey(dataKey, 'segment', 'a')));
});
