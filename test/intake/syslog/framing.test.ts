import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFraming } from '../../../src/intake/syslog/framing.ts';
import { counted } from './rig.ts';

const MAX_BYTES = 64;

interface Read {
  readonly messages: readonly string[];
  /** Messages that were cut. */
  readonly cut: number;
  readonly wrong: string | undefined;
  /** Whether the end came within a counted message. */
  readonly isCutOff: boolean;
}

function read(chunks: readonly Buffer[]): Read {
  const messages: string[] = [];
  let cut = 0;
  let wrong: string | undefined;
  const framing = createFraming({
    maxMessageBytes: MAX_BYTES,
    onMessage(bytes, isCut) {
      messages.push(bytes.toString());
      if (isCut) cut += 1;
    },
  });
  for (const chunk of chunks) wrong ??= framing.read(chunk);
  return { messages, cut, wrong, isCutOff: wrong === undefined && framing.end() };
}

const SENT = ['<13>one', '<13>größe 🌍', '<13>several\nlines', '<13>'];
const COUNTED = Buffer.concat(SENT.map((message) => counted(message)));
const LINES = ['<13>one', '<13>größe 🌍', '<13>three'];
const LINED = Buffer.from(LINES.map((line) => `${line}\n`).join(''));

describe('framing', () => {
  for (const [what, bytes, expected] of [
    ['octet counting', COUNTED, SENT],
    ['line feeds', LINED, LINES],
    ['carriage returns and line feeds', Buffer.from(LINED.toString().replaceAll('\n', '\r\n')), LINES],
  ] as const) {
    it(`by ${what} gives the same messages wherever the stream is cut`, () => {
      for (let at = 0; at <= bytes.length; at += 1) {
        assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), { messages: expected, cut: 0, wrong: undefined, isCutOff: false });
      }
      const single = Array.from(bytes, (byte) => Buffer.of(byte));
      assert.deepEqual(read(single).messages, expected);
    });
  }

  it('cuts what is too long, and goes on behind it', () => {
    const long = `<13>${'x'.repeat(1_000)}`;
    for (const bytes of [Buffer.concat([counted(long), counted('<13>next')]), Buffer.from(`${long}\n<13>next\n`)]) {
      for (const chunks of [[bytes], [bytes.subarray(0, 100), bytes.subarray(100)], Array.from(bytes, (byte) => Buffer.of(byte))]) {
        assert.deepEqual(read(chunks), { messages: [long.slice(0, MAX_BYTES), '<13>next'], cut: 1, wrong: undefined, isCutOff: false });
      }
    }
  });

  for (const [what, text] of [
    ['a letter', 'x13>'],
    ['a leading zero', '07 <13>one'],
    ['no digits', ' <13>one'],
    ['a length of nine digits', '123456789 <13>one'],
    ['a wrong length before the next message', '6 <13>one7 <13>two'],
  ] as const) {
    it(`gives a stream up for ${what} where a length should be`, () => assert.match(String(read([Buffer.from(text)]).wrong), /length/));
  }

  it('tells at the end whether a counted message was cut off, and gives out a last line', () => {
    assert.equal(read([counted('<13>one').subarray(0, -1)]).isCutOff, true);
    assert.equal(read([Buffer.from('12')]).isCutOff, true);
    assert.deepEqual(read([Buffer.from('<13>one\n<13>two')]), { messages: ['<13>one', '<13>two'], cut: 0, wrong: undefined, isCutOff: false });
  });
});
