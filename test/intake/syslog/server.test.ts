import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { AgentState } from '../../../src/management-group/agent.ts';
import { eventually } from '../../support/eventually.ts';
import { connectTls, enrolAgent } from '../rig.ts';
import { counted, startSyslogRig } from './rig.ts';

const ONE = counted('<13>1 - fw01 app - - - one');
const TWO = counted('<13>1 - fw01 app - - - two');

describe('syslog over TLS', () => {
  it('keeps the messages of a known certificate as a batch of its agent', async () => {
    await using rig = await startSyslogRig();
    const agent = await enrolAgent(rig);
    const socket = await rig.connect(agent);
    socket.write(Buffer.concat([ONE, TWO]));
    await eventually('both are kept', async () => {
      await rig.flush();
      return rig.messages().length === 2;
    });
    assert.deepEqual(rig.messages(), ['one', 'two']);
    const [batch] = rig.batches;
    assert.deepEqual([batch?.agentId, batch?.dataType, batch?.solution, batch?.kind], [agent.agentId, 'LINUX_SYSLOGS_BLOB', 'LogManagement', 'Event']);
    assert.equal(await rig.figure('relay_syslog_messages_total{format="rfc5424"}'), 2);
    socket.destroy();
  });

  for (const state of ['pending', 'suspended'] satisfies AgentState[]) {
    it(`ends the connection of an agent that is ${state}, with a count and a line`, async () => {
      await using rig = await startSyslogRig();
      const { identity } = await enrolAgent(rig, state);
      await isEnded(rig.port, identity);
      assert.equal(await rig.figure(`relay_intake_refused_total{reason="relay.agent.${state}"}`), 1);
      assert.ok(rig.lines().some(({ code }) => code === `relay.agent.${state}`));
    });
  }

  it('ends connections without a certificate', async () => {
    await using rig = await startSyslogRig();
    await isEnded(rig.port, undefined);
    assert.equal(await rig.figure('relay_intake_refused_total{reason="relay.agent.no-certificate"}'), 1);
    assert.deepEqual(rig.batches, []);
  });

  it('ends connections with a certificate that nobody has enrolled with', async () => {
    await using rig = await startSyslogRig();
    await using other = await startSyslogRig();
    const { identity } = await enrolAgent(other);
    await isEnded(rig.port, identity);
    assert.equal(await rig.figure('relay_intake_refused_total{reason="relay.agent.unknown-certificate"}'), 1);
    assert.ok(rig.lines().some(({ code }) => code === 'relay.agent.unknown-certificate'));
  });

  it('reads nothing more of a sender while the cache takes nothing, and all of it afterwards', async () => {
    await using rig = await startSyslogRig({ batchSize: 4 * 1024 });
    rig.answer({ outcome: 'full', message: 'There is no room.' });
    const socket = await rig.connect();
    const message = counted(`<13>1 - fw01 app - - - ${'x'.repeat(1_000)}`);
    const messages = 20_000;
    socket.write(Buffer.concat(Array.from({ length: messages }, () => message)));
    await eventually('it was tried', async () => {
      rig.clock.advance(1_000);
      return (await rig.figure('relay_syslog_store_retries_total{reason="relay.cache.full"}')) > 2;
    });
    const read = await rig.figure('relay_syslog_messages_total{format="rfc5424"}');
    assert.ok(read > 0 && read < messages / 2, `${read} messages were read`);
    assert.ok(socket.writableLength > 0, 'the sender feels it');
    rig.answer({ outcome: 'stored' });
    await eventually('all is kept', () => {
      rig.clock.advance(30_000);
      return rig.messages().length === messages;
    });
    socket.destroy();
  });

  it('takes nothing more of an agent that is suspended while it is connected', async () => {
    await using rig = await startSyslogRig();
    const agent = await enrolAgent(rig);
    const socket = await rig.connect(agent);
    socket.write(ONE);
    await eventually('the first is kept', async () => {
      await rig.flush();
      return rig.messages().length === 1;
    });
    const [known] = rig.group.registry.all().filter(({ agentId }) => agentId === agent.agentId);
    assert.ok(known);
    rig.group.registry.setState(known.workspaceId, known.agentId, 'suspended', 'the test says so');
    const closed = once(socket, 'close');
    socket.on('error', () => {}).resume();
    socket.write(TWO);
    await closed;
    await rig.flush();
    assert.deepEqual(rig.messages(), ['one']);
    assert.equal(await rig.figure('relay_syslog_connections_ended_total{reason="refused"}'), 1);
  });

  it('tries again what the cache does not take, and keeps it once', async () => {
    await using rig = await startSyslogRig();
    rig.answer({ outcome: 'full', message: 'There is no room.' });
    const socket = await rig.connect();
    socket.write(ONE);
    await eventually('it was tried', async () => {
      rig.clock.advance(1_000);
      return (await rig.figure('relay_syslog_store_retries_total{reason="relay.cache.full"}')) > 1;
    });
    assert.deepEqual(rig.messages(), []);
    rig.answer({ outcome: 'stored' });
    await eventually('it is kept', () => {
      rig.clock.advance(30_000);
      return rig.messages().length > 0;
    });
    await rig.flush();
    assert.deepEqual(rig.messages(), ['one']);
    socket.destroy();
  });

  it('ends a connection whose framing is broken, and keeps what came before', async () => {
    await using rig = await startSyslogRig();
    const socket = await rig.connect();
    const closed = once(socket, 'close');
    socket.on('error', () => {}).resume();
    socket.write(Buffer.concat([ONE, Buffer.from('nonsense')]));
    await closed;
    await eventually('the first is kept', async () => {
      await rig.flush();
      return rig.messages().length === 1;
    });
    assert.equal(await rig.figure('relay_syslog_connections_ended_total{reason="bad-frame"}'), 1);
  });

  it('keeps what was read when it stops', async () => {
    await using rig = await startSyslogRig();
    const socket = await rig.connect();
    socket.on('error', () => {}).resume();
    socket.write(ONE);
    await eventually('it is read', async () => (await rig.figure('relay_syslog_messages_total{format="rfc5424"}')) === 1);
    const stopped = rig.server.stop(5_000);
    await eventually('it is kept', () => {
      rig.clock.advance(500);
      return rig.messages().length === 1;
    });
    await stopped;
    assert.deepEqual(rig.messages(), ['one']);
  });
});

async function isEnded(port: number, identity: Parameters<typeof connectTls>[1]): Promise<void> {
  const socket = await connectTls(port, identity);
  socket.on('error', () => {}).resume();
  if (!socket.closed) await once(socket, 'close');
}
