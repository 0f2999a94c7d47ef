// Ten thousand broken streams: no throw, no hang, no memory left behind, and every message before the fault is given out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createFraming } from '../../../src/intake/syslog/framing.ts';
import { readMessage } from '../../../src/intake/syslog/read-message.ts';
import { recordOf, textOf } from '../../../src/intake/syslog/syslog-record.ts';
import { mutated } from '../../support/mutations.ts';
import { seeded } from '../../support/seeded.ts';
import { counted } from './rig.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const STREAMS = 10_000;
const MOST_LEFT_BEHIND_BYTES = 8 * 1024 * 1024;
const RECEIVED = Date.UTC(2026, 10, 29);
const GOOD = [
  '<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 [a@1 b="c\\"d"][e@1] text',
  "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
  '<189>237: sw1: *Nov 28 10:11:12.345 UTC: %LINK-3-UPDOWN: up',
];

test('ten thousand mutated streams are read or given up, and what is whole before the fault is given out', () => {
  const random = seeded(5425);
  const good = Buffer.concat(GOOD.map((message) => counted(message)));
  const lines = Buffer.from(GOOD.map((line) => `${line}\n`).join(''));
  let [records, givenUp, before] = [0, 0, 0];
  for (let at = 0; at < STREAMS; at += 1) {
    if (at === STREAMS / 10) {
      collect();
      before = process.memoryUsage().heapUsed;
    }
    const isCounted = random() < 0.5;
    // A line feed always begins a new message, whatever was before it.
    const tail = isCounted ? Buffer.alloc(0) : Buffer.concat([Buffer.from('\n'), lines]);
    const stream = Buffer.concat([isCounted ? good : lines, mutated(isCounted ? good : lines, random), tail]);
    const messages: string[] = [];
    const framing = createFraming({
      maxMessageBytes: 128,
      onMessage(bytes, isCut) {
        const text = textOf(bytes, isCut);
        messages.push(text);
        const record = recordOf(readMessage(text, RECEIVED), { hostName: 'fw01', address: '10.0.0.7', timestamp: '2026-11-29T00:00:00.000Z' });
        JSON.parse(JSON.stringify(record));
        records += 1;
      },
    });
    let wrong: string | undefined;
    for (let from = 0; from < stream.length && wrong === undefined; ) {
      const to = from + 1 + Math.floor(random() * 64);
      wrong = framing.read(stream.subarray(from, to));
      from = to;
    }
    if (wrong === undefined) framing.end();
    else givenUp += 1;
    assert.deepEqual(messages.slice(0, GOOD.length), GOOD);
    if (!isCounted) assert.deepEqual(messages.slice(-GOOD.length), GOOD);
  }
  collect();
  assert.ok(process.memoryUsage().heapUsed - before < MOST_LEFT_BEHIND_BYTES, 'memory is flat');
  assert.ok(records > 4 * STREAMS && givenUp > STREAMS / 10, `${records} records, ${givenUp} streams given up`);
});
