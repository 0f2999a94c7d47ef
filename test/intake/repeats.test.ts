import assert from 'node:assert/strict';
import { randomFillSync, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import { type BatchId, createBatchId } from '../../src/batch/batch-id.ts';
import { createRepeats } from '../../src/intake/repeats.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { type Answered, BANK, createIntakeRig, enrolAgent, send } from './rig.ts';

const MINUTE_MS = 60_000;
type Compared = Parameters<ReturnType<typeof createRepeats>['remember']>[0];

function arrivalOf(text: string, more: Partial<Compared> = {}): Compared {
  return {
    workspaceId: BANK,
    agentId: parseAgentId('aaaaaaaa-0000-4000-8000-000000000001'),
    dataType: 'LINUX_SYSLOGS_BLOB',
    origin: { protocol: 'operational-data', service: 'operational-data', encoding: 'identity', headers: {} },
    body: Buffer.from(text),
    saysRepeat: true,
    ...more,
  };
}

const newId = (): BatchId => createBatchId(Date.now(), randomFillSync);

describe('repeats', () => {
  it('are the same bytes from the same agent for the same data type, when the request says so', () => {
    const repeats = createRepeats(Date.now, randomFillSync);
    const id = newId();
    repeats.remember(arrivalOf('one', { saysRepeat: false }), id);
    assert.equal(repeats.firstOf(arrivalOf('one')), id);
    assert.equal(repeats.firstOf(arrivalOf('one', { saysRepeat: false })), undefined);
    assert.equal(repeats.firstOf(arrivalOf('two')), undefined);
    assert.equal(repeats.firstOf(arrivalOf('one', { dataType: 'CUSTOM_CL' })), undefined);
    assert.equal(repeats.firstOf(arrivalOf('one', { agentId: parseAgentId(randomUUID()) })), undefined);
  });

  it('are known by the id that their sender gave them, but only with the same bytes', () => {
    const repeats = createRepeats(Date.now, randomFillSync);
    const id = newId();
    repeats.remember(arrivalOf('one', { id, saysRepeat: false }), id);
    assert.equal(repeats.firstOf(arrivalOf('one', { id, saysRepeat: false })), id);
    assert.equal(repeats.firstOf(arrivalOf('another', { id })), undefined);
    assert.equal(repeats.firstOf(arrivalOf('one', { id: newId() })), undefined);
  });

  it('are forgotten after 15 minutes, and when their sender has sent 256 others', () => {
    const clock = createManualClock();
    const repeats = createRepeats(clock.now, randomFillSync);
    repeats.remember(arrivalOf('old'), newId());
    clock.advance(15 * MINUTE_MS);
    assert.ok(repeats.firstOf(arrivalOf('old')));
    clock.advance(1);
    assert.equal(repeats.firstOf(arrivalOf('old')), undefined);
    for (let at = 0; at <= 256; at += 1) repeats.remember(arrivalOf(`batch ${at}`), newId());
    assert.equal(repeats.firstOf(arrivalOf('batch 0')), undefined);
    for (let at = 1; at <= 256; at += 1) assert.ok(repeats.firstOf(arrivalOf(`batch ${at}`)), String(at));
  });

  it('of a sender that was quiet longest are forgotten first when there are too many in all', () => {
    const repeats = createRepeats(Date.now, randomFillSync, { ofSender: 8, inAll: 64 });
    const agents = Array.from({ length: 10 }, () => parseAgentId(randomUUID()));
    for (const agentId of agents) for (let at = 0; at < 8; at += 1) repeats.remember(arrivalOf(`${at}`, { agentId }), newId());
    const known = agents.filter((agentId) => repeats.firstOf(arrivalOf('7', { agentId })));
    assert.deepEqual(known, agents.slice(-8));
  });
});

const body = deflateSync('{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{"Message":"hello"}]}');

async function upload(port: number, agent: Awaited<ReturnType<typeof enrolAgent>>, retryCount: string, content = body): Promise<Answered> {
  const headers = { 'content-encoding': 'deflate', 'x-ms-client-request-retry-count': retryCount, 'x-request-id': randomUUID() };
  return await send(port, agent.identity, { path: UPLOAD_PATH, headers, body: content });
}

describe('an upload that says it is a repeat', () => {
  it('of one that was acknowledged gets 200 with its id, and is not kept twice', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    const agent = await enrolAgent(rig);
    const answers = [];
    for (const count of ['0', '2', '3']) answers.push(await upload(port, agent, count));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(new Set(answers.map(({ headers }) => headers['x-relay-batch-id'])).size, 1);
    assert.equal(rig.kept.length, 1);
    assert.equal(await rig.figure(`relay_intake_repeats_total{workspace="${BANK}"}`), 2);
    assert.equal(await rig.figure(`relay_received_batches_total{workspace="${BANK}",kind="Event"}`), 1);
    assert.deepEqual(Object.keys(rig.kept[0] ?? {}).includes('saysRepeat'), false);
  });

  it('of one that was refused is kept: it was never acknowledged', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    const agent = await enrolAgent(rig);
    rig.answer({ outcome: 'full', message: 'no room.' });
    assert.equal((await upload(port, agent, '0')).status, 503);
    rig.answer({ outcome: 'stored' });
    assert.equal((await upload(port, agent, '2')).status, 200);
    assert.equal(rig.kept.length, 1);
  });

  it('is acknowledged again while the cache is full, because it is safe already', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    const agent = await enrolAgent(rig);
    assert.equal((await upload(port, agent, '0')).status, 200);
    rig.answer({ outcome: 'full', message: 'no room.' });
    assert.equal((await upload(port, agent, '2')).status, 200);
    assert.equal(rig.kept.length, 1);
  });

  it('with other bytes, or without saying so, is kept', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    const agent = await enrolAgent(rig);
    await upload(port, agent, '0');
    await upload(port, agent, '0');
    await upload(port, agent, '2', deflateSync('{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{"Message":"other"}]}'));
    assert.equal(rig.kept.length, 3);
  });

  it('of one that nobody can read is put aside once', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    const agent = await enrolAgent(rig);
    for (const count of ['0', '2']) await upload(port, agent, count, Buffer.from('no zlib'));
    assert.equal(rig.aside.length, 1);
  });
});
