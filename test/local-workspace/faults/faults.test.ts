import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { deflateSync, gzipSync, inflateSync } from 'node:zlib';
import { createFaults, type Fault, readFault } from '../../../src/local-workspace/faults/faults.ts';
import { BANK, onboardedAgent, outcomeOf, PLANT, post, startRig, syslog } from '../rig.ts';

// Which of the two a client sees depends on whether it was writing.
const CUT_OFF = /^(?:ECONNRESET|EPIPE)$/;

test('a fault is read with its defaults, and refused when something in it is not known', () => {
  assert.deepEqual(readFault({ mode: 'slow', workspace: BANK.toUpperCase() }), { mode: 'slow', delayMs: 5000, workspace: BANK });
  assert.deepEqual(readFault({ mode: 'too-many-requests' }), { mode: 'too-many-requests', retryAfterS: 60 });
  assert.deepEqual(readFault({ mode: 'status' }), { mode: 'status', status: 503 });
  for (const strange of [
    {},
    { mode: 'odd' },
    { mode: 'down', workspace: BANK },
    { mode: 'slow', delayMs: -1 },
    { mode: 'error', workspace: 'x' },
    { mode: 'none', more: 1 },
    { mode: 'error', path: 'blobs' },
    { mode: 'error', times: 0 },
    'down',
  ]) {
    assert.throws(() => readFault(strange), { code: 'relay.local-workspace.bad-fault' }, JSON.stringify(strange));
  }
});

test('a fault for one service and so many requests meets these alone', async () => {
  const faults = createFaults(async () => {});
  await faults.set({ mode: 'error', path: 'token', times: 2 });
  assert.equal(faults.ofRequest('ingestion', undefined), undefined);
  faults.spend();
  assert.equal(faults.ofRequest('token', undefined)?.mode, 'error');
  faults.spend();
  assert.equal(faults.ofRequest('token', undefined), undefined);
  await faults.set({ mode: 'error' });
  assert.equal(faults.ofRequest('data', BANK)?.mode, 'error');
});

test('what waits for the end of a fault is told once, unless it has called it off', async () => {
  const faults = createFaults(async () => {});
  const told: string[] = [];
  await faults.set({ mode: 'hang' });
  faults.whenLifted(() => told.push('a'));
  faults.whenLifted(() => told.push('b'))();
  await faults.set({ mode: 'none' });
  await faults.set({ mode: 'hang' });
  assert.deepEqual(told, ['a']);
});

test('each answer that can be asked for reaches the client, and ends with the fault', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  const cases: [Fault, number, string | undefined][] = [
    [{ mode: 'too-many-requests', retryAfterS: 17 }, 429, '17'],
    [{ mode: 'error' }, 500, undefined],
    [{ mode: 'forbidden' }, 403, undefined],
    [{ mode: 'status', status: 418 }, 418, undefined],
    [{ mode: 'status', status: 204 }, 204, undefined],
  ];
  for (const [fault, status, retryAfter] of cases) {
    await local.setFault(fault);
    const reply = await post(listening, identity, syslog(['x']));
    assert.deepEqual([reply.status, reply.headers['retry-after']], [status, retryAfter], fault.mode);
  }
  assert.deepEqual(local.count(), []);
  await local.setFault({ mode: 'none' });
  assert.equal((await post(listening, identity, syslog(['x']))).status, 200);
});

test('poison refuses the bodies that hold the marker, however they are coded, and no other', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  await local.setFault({ mode: 'poison', marker: 'bad one' });
  for (const [encoding, encode] of [
    ['identity', (body: Buffer) => body],
    ['deflate', deflateSync],
    ['gzip', gzipSync],
  ] as const) {
    const coded = (text: string): ReturnType<typeof syslog> => {
      const upload = syslog([text]);
      return { ...upload, headers: { ...upload.headers, 'content-encoding': encoding }, body: encode(inflateSync(upload.body)) };
    };
    assert.equal((await post(listening, identity, coded('a good one'))).status, 200, encoding);
    const refused = await post(listening, identity, coded('a bad one'));
    assert.deepEqual([refused.status, /A record holds/.test(refused.text)], [400, true], encoding);
  }
});

test('a slow answer comes when its time is over, and the data is kept before', async (t) => {
  const due: { ms: number; action: () => void }[] = [];
  const after = (ms: number, action: () => void): (() => void) => {
    due.push({ ms, action });
    return () => {};
  };
  const { listening, local } = await startRig(t, {}, { now: Date.now, after });
  const { identity } = await onboardedAgent(listening, BANK);
  await local.setFault({ mode: 'slow', delayMs: 1234 });
  const reply = outcomeOf(post(listening, identity, syslog(['x'])));
  const delay = await until(() => due.find(({ ms }) => ms === 1234));
  assert.equal(local.count()[0]?.batches, 1);
  delay.action();
  assert.equal(await reply, 200);
});

test('a request that hangs is let go when the fault is lifted', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  await local.setFault({ mode: 'hang' });
  const reply = outcomeOf(post(listening, identity, syslog(['x'])));
  await until(() => local.held() === 1 || undefined);
  await local.setFault({ mode: 'none' });
  assert.match(String(await reply), CUT_OFF);
  assert.deepEqual(local.count(), []);
});

test('a client that gives up on a request that hangs is forgotten', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  await local.setFault({ mode: 'hang' });
  const given = new AbortController();
  const reply = outcomeOf(post(listening, identity, { ...syslog(['x']), signal: given.signal }));
  await until(() => local.held() === 1 || undefined);
  given.abort();
  assert.equal(await reply, 'ABORT_ERR');
  await until(() => local.held() === 0 || undefined);
});

test('a reset comes in the middle of the body', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  await local.setFault({ mode: 'reset' });
  for (const body of [Buffer.alloc(8 * 1024 * 1024), Buffer.alloc(100)]) {
    assert.match(String(await outcomeOf(post(listening, identity, { ...syslog(['x']), body }))), CUT_OFF);
  }
  assert.deepEqual(local.count(), []);
});

test('down is refused by the operating system, and the port is the same afterwards', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  for (let at = 0; at < 2; at += 1) {
    await local.setFault({ mode: 'down' });
    assert.equal(await outcomeOf(post(listening, identity, syslog(['x']))), 'ECONNREFUSED');
    await local.setFault({ mode: 'none' });
    assert.equal(await outcomeOf(post(listening, identity, syslog(['x']))), 200);
  }
});

test('refuse takes the connection and closes it before TLS', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  await local.setFault({ mode: 'refuse' });
  assert.match(String(await outcomeOf(post(listening, identity, syslog(['x'])))), CUT_OFF);
  await local.setFault({ mode: 'none' });
  assert.equal(await outcomeOf(post(listening, identity, syslog(['x']))), 200);
});

test('a black hole takes the connection and never answers, until the fault is lifted', async (t) => {
  const { listening, local } = await startRig(t);
  await local.setFault({ mode: 'black-hole' });
  const socket = connect(listening.port, '127.0.0.1');
  const events: string[] = [];
  for (const name of ['connect', 'data', 'close']) socket.on(name, () => events.push(name));
  socket.on('error', () => {});
  await until(() => events.includes('connect') || undefined);
  assert.equal(await outcomeOf(post(listening, undefined, { ...syslog(['x']), signal: AbortSignal.timeout(100) })), 'ABORT_ERR');
  assert.deepEqual(events, ['connect']);
  await local.setFault({ mode: 'none' });
  await until(() => events.includes('close') || undefined);
  assert.equal(await outcomeOf(post(listening, undefined, syslog(['x']))), 403);
});

test('a fault for one workspace leaves the other alone', async (t) => {
  const { listening, local } = await startRig(t);
  const bank = await onboardedAgent(listening, BANK);
  const plant = await onboardedAgent(listening, PLANT);
  for (const mode of ['error', 'reset'] as const) {
    await local.setFault({ mode, workspace: BANK });
    assert.notEqual(await outcomeOf(post(listening, bank.identity, syslog(['x']))), 200);
    assert.equal(await outcomeOf(post(listening, plant.identity, syslog(['x']))), 200);
  }
});

test('it stops while it is down, and while requests hang', async (t) => {
  const down = await startRig(t);
  await down.local.setFault({ mode: 'down' });
  await down.local.stop();
  const hanging = await startRig(t);
  const { identity } = await onboardedAgent(hanging.listening, BANK);
  await hanging.local.setFault({ mode: 'hang' });
  const reply = outcomeOf(post(hanging.listening, identity, syslog(['x'])));
  await until(() => hanging.local.held() === 1 || undefined);
  await hanging.local.stop();
  assert.match(String(await reply), CUT_OFF);
});

/** Looks every few milliseconds until there is something; fails after ten seconds. */
async function until<Value>(look: () => Value | undefined): Promise<Value> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    assert.ok(Date.now() < deadline, 'what the test waits for did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
