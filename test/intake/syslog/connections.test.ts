import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { MESSAGE_FORMATS } from '../../../src/intake/syslog/syslog-message.ts';
import { eventually } from '../../support/eventually.ts';
import { BANK, connectTls, enrolAgent, readAll } from '../rig.ts';
import { BATCH_EVERY_MS, counted, recordsIn, type SyslogRig, startSyslogRig } from './rig.ts';

const FAILED = 'relay_intake_connections_failed_total';
const UNAVAILABLE = { outcome: 'unavailable', message: 'The disk is gone.' } as const;

const ended = (reason: string): string => `relay_syslog_connections_ended_total{reason="${reason}"}`;
const messageOf = (number: number, filling = ''): Buffer => counted(`<13>1 - fw01 app - - - ${number}${filling}`);
const manyOf = (count: number, filling = ''): Buffer => Buffer.concat(Array.from({ length: count }, (_, number) => messageOf(number, filling)));
const numbersOf = (messages: readonly string[]): number[] => messages.map((message) => Number.parseInt(message, 10));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

async function messagesRead(rig: SyslogRig): Promise<number> {
  const counts = await Promise.all(MESSAGE_FORMATS.map((format) => rig.figure(`relay_syslog_messages_total{format="${format}"}`)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Moves time on until so many messages are kept. */
async function kept(rig: SyslogRig, count: number, stepMs = BATCH_EVERY_MS): Promise<void> {
  await eventually(`${count} messages are kept`, () => {
    rig.clock.advance(stepMs);
    return rig.messages().length >= count;
  });
}

const isGone = async (socket: Socket): Promise<void> => void (socket.closed || (await once(socket, 'close')));

describe('a connection of a syslog sender', () => {
  it('is kept in the order in which it came, over many batches', async () => {
    await using rig = await startSyslogRig({ batchSize: 4_096 });
    const socket = await rig.connect();
    socket.write(manyOf(3_000));
    await kept(rig, 3_000);
    assert.deepEqual(numbersOf(rig.messages()), upTo(3_000));
    const ids = rig.batches.map(({ id }) => id);
    assert.ok(ids.length > 100 && new Set(ids).size === ids.length, `${ids.length} batches`);
    for (const batch of rig.batches) assert.ok(JSON.stringify(recordsIn(batch)).length < 4_096 + 100);
  });

  it('is not read while the cache takes nothing, and nothing of it is missing once it does', async () => {
    await using rig = await startSyslogRig({ batchSize: 4_096 });
    rig.answer(UNAVAILABLE);
    const socket = await rig.connect();
    const sent = 20_000;
    socket.write(manyOf(sent, 'x'.repeat(200)));
    await eventually('the cache has said no', async () => (await rig.figure('relay_syslog_store_retries_total{reason="relay.cache.unavailable"}')) === 1);
    const held = await rig.figure('relay_syslog_waiting_bytes');
    assert.ok(held > 0 && held < 64 * 1024, `${held} bytes wait: a batch, one behind it, and what came in the same piece`);
    assert.ok((await messagesRead(rig)) < 1_000);
    rig.answer({ outcome: 'stored' });
    await kept(rig, sent);
    assert.deepEqual(numbersOf(rig.messages()), upTo(sent));
    assert.equal(await rig.figure('relay_syslog_waiting_bytes'), 0);
    const said = rig.lines().filter(({ msg }) => msg.includes('is not kept yet'));
    assert.deepEqual([said.length, rig.lines().filter(({ msg }) => msg.endsWith('is kept again')).length], [1, 1]);
  });

  it('may end while its messages wait: they are kept all the same', async () => {
    await using rig = await startSyslogRig();
    rig.answer(UNAVAILABLE);
    const socket = await rig.connect();
    socket.end(messageOf(1));
    await eventually('it has ended', async () => (await rig.figure(ended('by-sender'))) === 1);
    assert.equal(rig.server.open(), 1, 'it counts until all of it is kept');
    rig.answer({ outcome: 'stored' });
    await kept(rig, 1);
    await eventually('it is forgotten', () => rig.server.open() === 0);
  });

  it('gives all that it wrote before it was reset', async () => {
    await using rig = await startSyslogRig({ batchSize: 4_096 });
    rig.answer(UNAVAILABLE);
    const { identity } = await enrolAgent(rig);
    const wire = connectTcp(rig.port, '127.0.0.1').on('error', () => {});
    const socket = await connectTls(rig.port, identity, { socket: wire });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.write(manyOf(500), resolve));
    await eventually('some of it is read', async () => (await messagesRead(rig)) > 0);
    wire.resetAndDestroy();
    rig.answer({ outcome: 'stored' });
    await kept(rig, 500);
    await eventually('its end is noticed', async () => rig.server.open() === 0);
    assert.deepEqual(numbersOf(rig.messages()), upTo(500));
  });

  it('may end lines by line feeds, and its last line needs none', async () => {
    await using rig = await startSyslogRig();
    const socket = await rig.connect();
    socket.end('<13>1 - fw01 app - - - 1\n<13>1 - fw01 app - - - 2');
    await kept(rig, 2);
    assert.deepEqual(rig.messages(), ['1', '2']);
    assert.equal(await rig.figure('relay_syslog_truncated_messages_total{reason="cut-off"}'), 0);
  });

  it('is counted when it ends within a counted message, which is not kept', async () => {
    await using rig = await startSyslogRig();
    const socket = await rig.connect();
    socket.end(Buffer.concat([messageOf(1), messageOf(2).subarray(0, -1)]));
    await kept(rig, 1);
    assert.deepEqual(rig.messages(), ['1']);
    assert.equal(await rig.figure('relay_syslog_truncated_messages_total{reason="cut-off"}'), 1);
  });

  it('has what is too long cut, without half a character, and counted', async () => {
    await using rig = await startSyslogRig({ maxMessageSize: 2_049 });
    const socket = await rig.connect();
    socket.write(Buffer.concat([counted(`<13>${'ж'.repeat(5_000)}`), messageOf(2)]));
    await kept(rig, 2);
    const [long = '', next] = rig.messages();
    assert.deepEqual([/^ж+$/.test(long), long.length, next], [true, (2_048 - 4) / 2, '2']);
    assert.equal(await rig.figure('relay_syslog_truncated_messages_total{reason="too-long"}'), 1);
  });

  it('ends when nothing comes for too long, but not while the relay itself does not read it', async () => {
    await using rig = await startSyslogRig({ idleTimeout: 1_000, batchSize: 4_096 });
    rig.answer(UNAVAILABLE);
    const waiting = await rig.connect();
    waiting.write(manyOf(2_000));
    await eventually('it is not read any more', async () => (await rig.figure('relay_syslog_waiting_bytes')) > 2 * 4_096);
    // It connects after the other was last read, so when its time is over the other's is too.
    const silent = await rig.connect();
    await isGone(silent.resume());
    assert.deepEqual([await rig.figure(ended('idle')), rig.server.open()], [1, 1]);
    rig.answer({ outcome: 'stored' });
    await kept(rig, 2_000);
  });
});

describe('the listener of syslog', () => {
  it('tells the operator of a sender that speaks no TLS', async () => {
    await using rig = await startSyslogRig();
    const plain = connectTcp(rig.port, '127.0.0.1').on('error', () => {});
    plain.write('<13>1 - fw01 app - - - in plain text\n');
    await isGone(plain.resume());
    assert.equal(await rig.figure(`${FAILED}{reason="not-tls"}`), 1);
    assert.ok(rig.lines().some(({ reason, remoteAddress }) => reason === 'not-tls' && remoteAddress === '127.0.0.1'));
  });

  it('waits only so long for a handshake', async () => {
    await using rig = await startSyslogRig({}, 50);
    const silent = connectTcp(rig.port, '127.0.0.1').on('error', () => {});
    await isGone(silent.resume());
    assert.equal(await rig.figure(`${FAILED}{reason="handshake-timeout"}`), 1);
  });

  it('takes no more connections than it may', async () => {
    await using rig = await startSyslogRig({ maxConnections: 1 });
    const first = await rig.connect();
    const { identity } = await enrolAgent(rig);
    await assert.rejects(connectTls(rig.port, identity));
    assert.equal(await rig.figure(`${FAILED}{reason="too-many"}`), 1);
    first.write(messageOf(1));
    await kept(rig, 1);
  });

  it('shows another certificate from the next handshake on', async () => {
    await using rig = await startSyslogRig();
    const before = await rig.connect();
    rig.server.useIdentity(await rig.authority.serverIdentity(['localhost', 'another.name'], 90));
    const after = await rig.connect();
    const namesOf = (socket: TLSSocket): string | undefined => socket.getPeerX509Certificate()?.subjectAltName;
    assert.doesNotMatch(namesOf(before) ?? '', /another\.name/);
    assert.match(namesOf(after) ?? '', /another\.name/);
    before.write(messageOf(1));
    await kept(rig, 1);
  });

  it('ends the connections of an agent at once, and keeps what was read of them', async () => {
    await using rig = await startSyslogRig();
    const agent = await enrolAgent(rig);
    const [socket, other] = [await rig.connect(agent), await rig.connect()];
    socket.resume().write(messageOf(1));
    await eventually('it is read', async () => (await messagesRead(rig)) === 1);
    rig.server.disconnect(rig.group.registry.certificatesOf({ workspaceId: BANK, agentId: agent.agentId }).map(({ fingerprint }) => fingerprint));
    await isGone(socket);
    await kept(rig, 1);
    assert.deepEqual([rig.messages(), await rig.figure(ended('refused')), other.closed], [['1'], 1, false]);
  });

  it('names the option when its port is taken', async () => {
    await using first = await startSyslogRig();
    await assert.rejects(startSyslogRig({ port: first.port }), /senders\.syslog\.port/);
  });
});

describe('a stop', () => {
  it('takes all that a sender had written, also of one that never notices the end', async () => {
    await using rig = await startSyslogRig({ batchSize: 64 * 1024 });
    const { identity } = await enrolAgent(rig);
    const wire = connectTcp({ port: rig.port, host: '127.0.0.1', allowHalfOpen: true });
    const socket = await connectTls(rig.port, identity, { socket: wire });
    rig.answer(UNAVAILABLE);
    const sent = 10_000;
    await new Promise((resolve) => socket.write(manyOf(sent, 'x'.repeat(30)), resolve));
    await eventually('the cache has said no', async () => (await rig.figure('relay_syslog_store_retries_total{reason="relay.cache.unavailable"}')) > 0);
    let read = await messagesRead(rig);
    assert.ok(read < sent / 2, 'the kernel has the rest');
    const stopped = rig.server.stop(20_000);
    rig.clock.advance(500);
    rig.answer({ outcome: 'stored' });
    rig.clock.advance(500);
    await eventually('it has ended', async () => {
      // It is looked at whenever something came, and ends before the ten seconds after which it would end anyhow.
      const before = read;
      read = await messagesRead(rig);
      rig.clock.advance(read > before ? 100 : 1);
      return (await rig.figure(ended('stopped'))) === 1;
    });
    await stopped;
    wire.destroy();
    assert.deepEqual(numbersOf(rig.messages()), upTo(sent));
    assert.equal(await rig.figure('relay_syslog_lost_messages_total'), 0);
  });

  it('takes what this process had read when it waits for the cache no longer, and keeps it if the cache comes back in time', async () => {
    await using rig = await startSyslogRig({ batchSize: 4_096 });
    rig.answer(UNAVAILABLE);
    const socket = await rig.connect();
    socket.resume().write(manyOf(10_000));
    await eventually('the cache has said no', async () => (await rig.figure('relay_syslog_store_retries_total{reason="relay.cache.unavailable"}')) > 0);
    const before = await messagesRead(rig);
    const stopped = rig.server.stop(20_000);
    rig.clock.advance(10_000);
    const read = await messagesRead(rig);
    assert.ok(read > before, `${before} were read before, ${read} after`);
    rig.answer({ outcome: 'stored' });
    await kept(rig, read, 100);
    await stopped;
    assert.deepEqual(numbersOf(rig.messages()), upTo(read));
    assert.equal(await rig.figure('relay_syslog_lost_messages_total'), 0);
  });

  it('tells the sender, and ends without delay when it closes too', async () => {
    await using rig = await startSyslogRig();
    const socket = await rig.connect();
    socket.write(messageOf(1));
    await eventually('it is read', async () => (await messagesRead(rig)) === 1);
    const all = readAll(socket);
    const stopped = rig.server.stop(20_000);
    await all;
    await stopped;
    assert.deepEqual([rig.messages(), await rig.figure(ended('by-sender'))], [['1'], 1]);
  });

  it('counts and says what the cache did not take in time', async () => {
    await using rig = await startSyslogRig();
    rig.answer(UNAVAILABLE);
    const socket = await rig.connect();
    socket.resume().write(manyOf(7));
    await eventually('it is read', async () => (await messagesRead(rig)) === 7);
    const stopped = rig.server.stop(5_000);
    await eventually('it is tried', async () => {
      rig.clock.advance(500);
      return (await rig.figure('relay_syslog_store_retries_total{reason="relay.cache.unavailable"}')) > 0;
    });
    rig.clock.advance(5_000);
    await stopped;
    assert.equal(await rig.figure('relay_syslog_lost_messages_total'), 7);
    assert.ok(rig.lines().some(({ level, messages }) => level === 'error' && messages === 7));
  });
});
