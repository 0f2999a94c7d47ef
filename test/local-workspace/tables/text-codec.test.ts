import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodeTexts, encodeTexts } from '../../../src/local-workspace/tables/text-codec.ts';
import { NO_TEXT } from '../../../src/local-workspace/tables/vector.ts';
import { seeded } from '../../support/seeded.ts';
import { textVector } from './store-rig.ts';

function assertSame(texts: readonly (string | undefined)[], what: string): Buffer {
  const vector = textVector(texts);
  const bytes = encodeTexts(vector);
  const back = decodeTexts(bytes, texts.length);
  assert.deepEqual(back.dictionary, vector.dictionary, what);
  assert.deepEqual(back.codes, vector.codes, what);
  return bytes;
}

function distinct(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `text ${at}`);
}

test('texts come back as they were', () => {
  const guid = '5b1f9a7e-3c2d-4e8f-9a6b-1c0d2e3f4a5b';
  const cases: [what: string, texts: readonly (string | undefined)[]][] = [
    ['no rows', []],
    ['none at all', [undefined, undefined]],
    ['an empty text is not none', ['', undefined, '']],
    ['empty texts between others', ['a', '', 'b']],
    ['one text for all', ['same', 'same', 'same']],
    ['umlauts, signs of three bytes and of four', ['Zürich', '日本語', '🔒 locked', 'é']],
    ['a byte order mark', ['\ufefffirst', 'second']],
    ['zero bytes and line ends', ['a\u0000b', '\r\n', '\n']],
    ['halves of a character', ['\ud83d', '\ude00', 'a\ud800']],
    ['halves that would meet', ['low \ud83d', '\ude00 high']],
    ['halves beside what has none', ['🔒', '\ud800', 'plain', undefined]],
    ['all different, and in order', distinct(300)],
    ['all different, but one has none', [...distinct(300), undefined]],
    ['all different, in another order than the rows', [...distinct(300)].reverse().concat('text 0')],
    ['GUIDs', [guid, randomUUID(), guid, undefined, '00000000-0000-0000-0000-000000000000']],
    ['GUIDs, each once', Array.from({ length: 1_000 }, () => randomUUID())],
    ['GUIDs with one in capitals', [randomUUID(), guid.toUpperCase()]],
    ['GUIDs and an empty text', [randomUUID(), '']],
    ['what is as long as a GUID', [guid, 'x'.repeat(36), `${guid.slice(0, 35)}g`]],
    ['digits without dashes', [guid.replaceAll('-', '0')]],
    ...[253, 254, 255, 256, 65_533, 65_534, 65_535, 65_536].map((count): [string, (string | undefined)[]] => [
      `${count} different ones`,
      [undefined, ...distinct(count), `text ${count - 1}`],
    ]),
    ['100,000 rows', Array.from({ length: 100_000 }, (_, at) => (at % 3 === 0 ? undefined : `host ${at % 20}`))],
  ];
  for (const [what, texts] of cases) assertSame(texts, what);
});

test('any texts come back as they were', () => {
  const random = seeded(20_260_305);
  const unit = (): string => {
    const range = random();
    if (range < 0.6) return String.fromCharCode(32 + Math.floor(random() * 95));
    return range < 0.95 ? String.fromCodePoint(Math.floor(random() * 0x11_0000)) : String.fromCharCode(0xd800 + Math.floor(random() * 0x800));
  };
  for (let round = 0; round < 300; round += 1) {
    const pool = Array.from({ length: 1 + Math.floor(random() * 40) }, () => Array.from({ length: Math.floor(random() * 12) }, unit).join(''));
    const holes = random() < 0.5 ? 0 : random();
    const texts = Array.from({ length: Math.floor(random() * 200) }, () => (random() < holes ? undefined : pool[Math.floor(random() * pool.length)]));
    assertSame(texts, `round ${round}`);
  }
});

test('GUIDs take sixteen bytes each, and what never comes twice has no codes', () => {
  assert.equal(
    assertSame(
      Array.from({ length: 1_000 }, () => randomUUID()),
      'guids',
    ).length,
    9 + 16_000,
  );
});

test('bytes that do not fit the rows are refused', () => {
  const bytes = encodeTexts(textVector(['a', 'b', 'a']));
  for (let length = 0; length < bytes.length - 2; length += 1) assert.throws(() => decodeTexts(bytes.subarray(0, length), 3), RangeError, `${length} bytes`);
  assert.throws(() => decodeTexts(bytes, 4), RangeError);
  assert.throws(() => decodeTexts(encodeTexts(textVector(['a', 'b'])), 3), RangeError);
});

test('a dictionary that holds more than its rows keeps it', () => {
  const vector = { dictionary: ['used', 'not used'], codes: Uint32Array.of(0, NO_TEXT) };
  assert.deepEqual(decodeTexts(encodeTexts(vector), 2), vector);
});
