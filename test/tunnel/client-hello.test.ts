import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createHelloReader, type HelloProgress, MAX_FLIGHT_BYTES } from '../../src/tunnel/client-hello.ts';
import { seeded } from '../support/seeded.ts';
import { goodHello, type HelloShape, helloMessage, inRecords } from './hello-bytes.ts';

function read(bytes: Buffer, chunkBytes = bytes.length): HelloProgress {
  const reader = createHelloReader();
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const progress = reader.push(bytes.subarray(at, at + chunkBytes));
    if (progress.state !== 'more') return progress;
  }
  return { state: 'more' };
}

function hello(shape: HelloShape): HelloProgress {
  return read(inRecords(helloMessage(shape)));
}

const GOOD: HelloProgress = { state: 'hello', hello: { isModern: true, serverName: 'dce.example.org' } };

/** A real client's first flight. */
async function flightOf(options: object): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connectTls({ port, host: '127.0.0.1', servername: 'dce.example.org', ...options }).on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

describe('the reader of a ClientHello', () => {
  it('reads name and versions, in whatever pieces and records they come', () => {
    const message = helloMessage({ name: 'DCE.example.org', versions: [0x0a0a, 0x0304, 0x0303] });
    for (const recordBytes of [1, 2, 3, 4, 5, 50, message.length, 2 ** 14]) {
      for (const chunkBytes of [1, 2, 7, 100, 2 ** 15]) assert.deepEqual(read(inRecords(message, recordBytes), chunkBytes), GOOD);
    }
  });

  it("reads real clients' hellos", async () => {
    for (const options of [{}, { maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }]) assert.deepEqual(read(await flightOf(options), 11), GOOD);
  });

  it('takes the versions from supported_versions, and from legacy_version without it', () => {
    const isModern = (shape: HelloShape): boolean => {
      const progress = hello(shape);
      assert.equal(progress.state, 'hello');
      return progress.state === 'hello' && progress.hello.isModern;
    };
    assert.equal(isModern({ versions: [0x0304] }), true);
    assert.equal(isModern({ versions: [0x0303] }), true);
    assert.equal(isModern({ versions: [0x0302, 0x0301] }), false);
    assert.equal(isModern({ versions: [], legacyVersion: 0x0303 }), false);
    assert.equal(isModern({ legacyVersion: 0x0303 }), true);
    assert.equal(isModern({ legacyVersion: 0x0302 }), false);
    assert.equal(isModern({ legacyVersion: 0x0301 }), false);
    assert.equal(isModern({ legacyVersion: 0x0300 }), false);
  });

  it('knows what is no TLS, and what is a broken hello', () => {
    const reasonOf = (bytes: Buffer): string => {
      const progress = read(bytes);
      return progress.state === 'refused' ? progress.reason : progress.state;
    };
    const good = goodHello('dce.example.org');
    assert.equal(reasonOf(Buffer.from('GET / HTTP/1.1\r\n\r\n')), 'not-tls');
    assert.equal(reasonOf(Buffer.from([0x80, 0x2e, 1, 0, 2])), 'not-tls');
    assert.equal(reasonOf(Buffer.from([22, 2, 0, 0, 4])), 'malformed-hello');
    assert.equal(reasonOf(Buffer.from([22, 3, 1, 0, 0])), 'malformed-hello');
    assert.equal(reasonOf(Buffer.from([22, 3, 1, 0x40, 1])), 'malformed-hello');
    assert.equal(reasonOf(inRecords(Buffer.from([2, 0, 0, 1, 0]))), 'malformed-hello');
    assert.equal(reasonOf(inRecords(Buffer.from([1, 1, 0, 0, 0]))), 'malformed-hello');
    assert.equal(
      reasonOf(
        inRecords(
          helloMessage({
            name: 'a',
            extensions: [
              [43, Buffer.from([1])],
              [43, Buffer.from([1])],
            ],
          }),
        ),
      ),
      'malformed-hello',
    );
    assert.equal(reasonOf(inRecords(helloMessage({ extensions: [[0, Buffer.from('00080000016100000162', 'hex')]] }))), 'malformed-hello', 'two names');
    assert.equal(reasonOf(inRecords(helloMessage({ name: 'a\0b' }))), 'malformed-hello');
    assert.equal(reasonOf(Buffer.concat([good.subarray(0, 60), good.subarray(61), Buffer.from([0])])), 'malformed-hello');
  });

  it('gives up at 16 KiB', () => {
    const tiny = Buffer.concat(Array.from({ length: 3_000 }, () => Buffer.from([22, 3, 1, 0, 1, 0])));
    const head = inRecords(Buffer.from([1, 0, 0x30, 0]));
    assert.equal(read(Buffer.concat([head, tiny]), 1).state, 'refused');
    assert.equal(read(Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0]), Buffer.alloc(MAX_FLIGHT_BYTES, 1)]), 1_000).state, 'refused');
  });

  it('survives 20,000 broken hellos', () => {
    const random = seeded(20_261);
    const below = (limit: number): number => Math.floor(random() * limit);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 20_000; round += 1) {
      const message = helloMessage({ name: 'dce.example.org', versions: [0x0304], extensions: [[10, Buffer.alloc(below(40))]] });
      const bytes = inRecords(message, 1 + below(300));
      for (let change = below(4); change >= 0; change -= 1) bytes[below(bytes.length)] = below(256);
      const cut = round % 3 === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
      const { state } = read(cut, 1 + below(200));
      outcomes.set(state, (outcomes.get(state) ?? 0) + 1);
    }
    assert.deepEqual([...outcomes.keys()].toSorted(), ['hello', 'more', 'refused']);
  });
});
