import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readSigningRequest } from '../../../src/authority/signing-request.ts';
import { createEstRig } from './est-rig.ts';
import { garbage, goodRequests } from './garbage.ts';

const MIB = 1024 * 1024;
/** A leak of the smallest of the bodies alone would be more. */
const ALLOWED_GROWTH = 4 * MIB;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

test('a thousand garbage signing requests with good credentials are refused with 400, and the next good request is served', async () => {
  await using est = await createEstRig();
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: est.rig.rootPem });
  const authorization = `Basic ${Buffer.from(`fuzz:${est.secret}`).toString('base64')}`;
  const send = async (body: Buffer): Promise<number> => {
    const outgoing = request({ host: 'localhost', port: est.port, method: 'POST', path: '/.well-known/est/simpleenroll', agent, headers: { authorization } });
    outgoing.end(body.toString('base64'));
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    await answer.toArray();
    return answer.statusCode ?? 0;
  };
  let sent = 0;
  for (const body of garbage(4, goodRequests())) {
    if (sent++ === 1_000) break;
    // As slowly as an address is listened to.
    est.rig.clock.advance(100);
    const status = await send(body);
    // A byte may change to itself, or where nothing depends on it.
    if (!readSigningRequest(body).readable) assert.equal(status, 400, body.toString('hex'));
  }
  agent.destroy();
  const client = est.client('web01');
  await client.makeRequest();
  assert.equal((await client.enrol('web01', est.secret)).status, 200);
});

test('reading garbage leaves no memory behind, and brings no key but those that signed', () => {
  const good = goodRequests();
  const keys = good.map(readSigningRequest).flatMap((found) => (found.readable ? [found.publicKey] : []));
  const bodies = garbage(7, good);
  const round = (): void => {
    for (let count = 0; count < 1_000; count++) {
      const body = bodies.next().value as Buffer;
      const found = readSigningRequest(body);
      assert.ok(!found.readable || keys.some((key) => key.equals(found.publicKey)), body.toString('hex'));
    }
  };
  round();
  round();
  const before = heapUsed();
  for (let rounds = 0; rounds < 8; rounds++) round();
  const growth = heapUsed() - before;
  assert.ok(growth < ALLOWED_GROWTH, `8,000 bodies left ${Math.round(growth / 1024)} KiB behind`);
});
