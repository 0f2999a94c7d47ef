import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKeyFile } from '../../../src/local-workspace/keys/key-file.ts';

const ONE = Buffer.alloc(32, 0xa1);
const TWO = Buffer.alloc(32, 0xb2);
const HEX = ONE.toString('hex');
const BASE64 = TWO.toString('base64');

test('a key file gives its keys, the newest first, however they are written', () => {
  for (const [what, text, keys] of [
    ['hexadecimal', `a ${HEX}`, [['a', ONE]]],
    ['capitals', `a ${HEX.toUpperCase()}\n`, [['a', ONE]]],
    ['base64', `2026-11-23 ${BASE64}\n`, [['2026-11-23', TWO]]],
    ['two', `b ${BASE64}\na ${HEX}\n`, [['b', TWO], ['a', ONE]]], // biome-ignore format: a table
    ['comments, empty lines, tabs, CRLF', `# keys of the bank\r\n\r\n  b\t${BASE64}  \r\n#a ${HEX}\r\n`, [['b', TWO]]],
  ] as const) {
    const read = readKeyFile(text);
    assert.ok(read.isGood, what);
    assert.deepEqual(read.keys.map(({ id, bytes }) => [id, bytes]), keys, what); // biome-ignore format: one line
  }
});

test('what is no key file is said by its line, and no key is shown', () => {
  for (const [text, problem] of [
    ['', /^it has no key$/],
    ['# nothing\n', /^it has no key$/],
    [HEX, /^line 1 has 1 word, not an id and a key$/],
    [`a ${HEX} more`, /^line 1 has 3 words/],
    [`a ${HEX}\nb ${HEX.slice(2)}`, /^line 2 \(b\) has a key that is not 32 bytes/],
    [`a ${BASE64.slice(0, -1)}`, /^line 1 \(a\)/],
    [`a ${HEX}00`, /^line 1 \(a\)/],
    [`${HEX} a`, /^line 1 begins with no id/],
    [`${BASE64} a`, /^line 1 begins with no id/],
    [`-x ${HEX}`, /^line 1 begins with no id/],
    [`a ${HEX}\na ${BASE64}`, /^line 2 has the id a again/],
    [Array.from({ length: 1001 }, (_, index) => `k${index} ${HEX}`).join('\n'), /^it has more than 1000 keys$/],
  ] as const) {
    const read = readKeyFile(text);
    assert.ok(!read.isGood, text.slice(0, 40));
    assert.match(read.problem, problem);
    assert.ok(!read.problem.includes('a1a1') && !read.problem.includes(BASE64.slice(0, 8)), read.problem);
  }
});
