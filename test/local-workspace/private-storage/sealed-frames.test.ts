import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openFrames, sealFrames } from '../../../src/local-workspace/private-storage/sealed-frames.ts';

const KEY = createSecretKey(Buffer.alloc(32, 7));
const FRAME = 64 * 1024;
const HEADER = 37;

async function gather(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const seal = (content: Buffer, context = 'here'): Promise<Buffer> => gather(sealFrames([content], KEY, context));
const open = (sealed: Buffer, { key = KEY, context = 'here' } = {}): Promise<Buffer> => gather(openFrames([sealed], key, context));

test('what is sealed opens to the same, whatever its size and in whatever pieces it comes', async () => {
  for (const bytes of [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 5]) {
    const content = randomBytes(bytes);
    const sealed = await seal(content);
    assert.deepEqual(await open(sealed), content, `${bytes} bytes`);
    const pieces = [sealed.subarray(0, 3), sealed.subarray(3, 50_000), sealed.subarray(50_000)];
    assert.deepEqual(await gather(openFrames(pieces, KEY, 'here')), content, `${bytes} bytes in pieces`);
  }
});

test('the same content is never sealed to the same bytes', async () => {
  const content = Buffer.from('the same');
  assert.notDeepEqual(await seal(content), await seal(content));
});

test('a stream in which any byte was changed does not open', async () => {
  const sealed = await seal(Buffer.from('saved query'));
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    await assert.rejects(open(changed), { code: 'relay.local-workspace.cannot-open' }, `byte ${at}`);
  }
});

test('a stream that was cut anywhere, also between two frames, or grew, does not open', async () => {
  const sealed = await seal(randomBytes(2 * FRAME + 100));
  const frame = FRAME + 16;
  for (const bytes of [0, 1, HEADER - 1, HEADER, HEADER + 1, HEADER + frame - 1, HEADER + frame, HEADER + 2 * frame, sealed.length - 1]) {
    await assert.rejects(open(sealed.subarray(0, bytes)), { code: 'relay.local-workspace.cannot-open' }, `cut to ${bytes}`);
  }
  await assert.rejects(open(Buffer.concat([sealed, Buffer.from('x')])), { code: 'relay.local-workspace.cannot-open' });
  const swapped = [sealed.subarray(0, HEADER), sealed.subarray(HEADER + frame, HEADER + 2 * frame), sealed.subarray(HEADER, HEADER + frame)];
  await assert.rejects(open(Buffer.concat([...swapped, sealed.subarray(HEADER + 2 * frame)])), { code: 'relay.local-workspace.cannot-open' });
});

test('a stream opens neither with another key nor for another place', async () => {
  const sealed = await seal(Buffer.from('x'));
  await assert.rejects(open(sealed, { key: createSecretKey(Buffer.alloc(32, 8)) }), { code: 'relay.local-workspace.cannot-open' });
  await assert.rejects(open(sealed, { context: 'there' }), { code: 'relay.local-workspace.cannot-open', message: /"there"/ });
});
