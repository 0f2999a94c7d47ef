import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import type { Collector } from '../../../src/agent/collecting.ts';
import { createHeartbeatCollector, type HeartbeatRecord } from '../../../src/agent/collectors/heartbeat.ts';
import { DEFAULT_LOG_FILES } from '../../../src/agent/collectors/log-files.ts';
import { createPerformanceCollector, type PerformanceRecord } from '../../../src/agent/collectors/performance.ts';
import { createSystemLogCollector, SYSTEM_LOG_DEFAULTS, type SystemLogOptions } from '../../../src/agent/collectors/system-log.ts';
import { createTimedReader } from '../../../src/agent/collectors/timed-reader.ts';
import { readHost } from '../../../src/agent/host.ts';
import type { Collection } from '../../../src/agent/upload-body.ts';
import { systemClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/logger.ts';
import type { SyslogRecord } from '../../../src/oms-protocol/syslog-record.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { readCapture } from '../../support/oms-captures.ts';
import { makeTestFolder } from '../test-folder.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What the collector hands over in one look. */
async function lookOnce(collector: Collector): Promise<Collection[]> {
  const collected: Collection[] = [];
  await collector.collect(async (collection) => void collected.push(collection));
  return collected;
}

describe('the heartbeat of this machine', () => {
  it("has the Linux agent's fields", async () => {
    const [collection] = await lookOnce(createHeartbeatCollector(await readHost('web01.example.org'), 60_000, systemClock));
    assert.deepEqual([collection?.dataType, collection?.solution], ['HEALTH_ASSESSMENT_BLOB', 'LogManagement']);
    const captured = JSON.parse(inflateSync(readCapture('022').body).toString()) as { DataItems: object[] };
    const record = collection?.records[0] as HeartbeatRecord;
    // A date on which our agent was installed is not known.
    const expected = Object.keys(captured.DataItems[0] ?? {}).filter((name) => name !== 'InstalledDate');
    assert.deepEqual(Object.keys(record), expected);
    assert.match(record.Timestamp, ISO);
    assert.equal(record.Computer, 'web01');
    assert.ok(Array.isArray(JSON.parse(record.ComputerPrivateIps)));
  });
});

describe('the performance counters of this machine', () => {
  it('are finite numbers of processor, memory, disk and network, in the shape of the Linux agent', async () => {
    const collector = createPerformanceCollector('web01', 60_000, systemClock);
    await lookOnce(collector);
    const [collection] = await lookOnce(collector);
    assert.deepEqual([collection?.dataType, collection?.solution], ['LINUX_PERF_BLOB', 'LogManagement']);
    const records = (collection?.records ?? []) as PerformanceRecord[];
    const objects = new Set(records.map(({ ObjectName }) => ObjectName));
    for (const object of ['Processor', 'Memory']) assert.ok(objects.has(object), object);
    for (const record of records) {
      assert.match(record.Timestamp, ISO);
      assert.deepEqual(Object.keys(record), ['Timestamp', 'Host', 'ObjectName', 'InstanceName', 'Collections']);
      assert.ok(record.Collections.length > 0);
      for (const { CounterName, Value } of record.Collections) assert.ok(Number.isFinite(Value), `${record.ObjectName} ${CounterName}`);
    }
  });

  it('are given up after ten seconds when a device hangs, and not asked for again before it answers', async () => {
    const clock = createManualClock();
    const hanging = Promise.withResolvers<number>();
    let looks = 0;
    const read = createTimedReader(() => {
      looks += 1;
      return looks === 1 ? hanging.promise : Promise.resolve(looks);
    }, clock);
    const first = read();
    clock.advance(10_000);
    await assert.rejects(first, { code: 'relay.agent.slow-counters' });
    await assert.rejects(read(), /has not returned yet/);
    hanging.resolve(0);
    await hanging.promise;
    assert.equal(await read(), 2);
  });
});

describe('the system log', () => {
  async function collector(folder: string, options: Partial<SystemLogOptions>): Promise<Collector> {
    return createSystemLogCollector(
      { ...SYSTEM_LOG_DEFAULTS, ...options },
      { folder, hostName: 'web01', everyMs: 5_000, clock: systemClock, log: silentLogger },
    );
  }

  it('of this machine is read from whichever source it has', async () => {
    await using folder = await makeTestFolder();
    const system = await collector(folder.path, { firstLines: 20 });
    const collected = await lookOnce(system);
    await system.close?.();
    const records = collected.flatMap((collection) => collection.records) as SyslogRecord[];
    if (DEFAULT_LOG_FILES.some((path) => existsSync(path))) assert.ok(records.length > 0);
    for (const record of records) {
      for (const name of ['Timestamp', 'EventTime'] as const) assert.match(record[name], ISO);
      for (const name of ['ident', 'Host', 'HostIP', 'Facility', 'Severity'] as const) assert.notEqual(record[name], '', name);
    }
  });

  it('remembers its position only after the lines are queued', async () => {
    await using folder = await makeTestFolder();
    const path = join(folder.path, 'syslog');
    await writeFile(path, 'Jan  2 03:04:05 web01 test: one\n');
    const options: Partial<SystemLogOptions> = { source: 'files', files: [path] };
    const failing = await collector(folder.path, options);
    await assert.rejects(
      failing.collect(() => Promise.reject(new Error('the disk is full'))),
      /the disk is full/,
    );
    const [again] = await lookOnce(await collector(folder.path, options));
    assert.equal(again?.records.length, 1);
    assert.deepEqual(await lookOnce(await collector(folder.path, options)), []);
  });

  it('reads a file that appears later from its beginning', async () => {
    await using folder = await makeTestFolder();
    const [early, late] = [join(folder.path, 'early'), join(folder.path, 'late')];
    await writeFile(early, 'old\nnewest\n');
    const system = await collector(folder.path, { source: 'files', files: [early, late], firstLines: 1 });
    const messages = async (): Promise<string[]> =>
      (await lookOnce(system)).flatMap(({ records }) => (records as SyslogRecord[]).map(({ Message }) => Message));
    assert.deepEqual(await messages(), ['newest']);
    await writeFile(late, 'one\ntwo\nthree\n');
    assert.deepEqual(await messages(), ['one', 'two', 'three']);
  });

  it('says what it looked for when there is none', async () => {
    await using folder = await makeTestFolder();
    const nothing = { files: [join(folder.path, 'absent')], journalctl: '/nonexistent/journalctl', kernelMessages: join(folder.path, 'kmsg') };
    await assert.rejects(lookOnce(await collector(folder.path, nothing)), /no journal with entries, none of the log files \(.*absent\) and no readable .*kmsg/);
  });
});
