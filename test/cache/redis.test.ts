import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openRedis } from '../../src/cache/open-redis.ts';
import { connectRedis, judgeRedis, type RedisFacts, readMemoryRatio, readRedisFacts } from '../../src/cache/redis.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { silentLogger } from '../../src/logger.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const GOOD: RedisFacts = { version: '7.2.4', maxmemoryPolicy: 'noeviction', maxmemoryBytes: 1_000_000_000, appendOnly: true, appendFsync: 'always' };

describe('judgeRedis', () => {
  const cases: readonly { readonly what: string; readonly facts: Partial<RedisFacts>; readonly refusal?: RegExp; readonly warning?: RegExp }[] = [
    { what: 'the settings of the appliance', facts: {} },
    { what: 'the oldest version', facts: { version: '6.2.0' } },
    { what: 'a version with two digits', facts: { version: '10.0.1' } },
    { what: 'a version too old', facts: { version: '6.0.16' }, refusal: /version 6\.0\.16; the relay needs 6\.2/ },
    { what: 'no version', facts: { version: '0' }, refusal: /version 0/ },
    { what: 'a Redis that evicts', facts: { maxmemoryPolicy: 'allkeys-lru' }, refusal: /allkeys-lru.*Set: maxmemory-policy noeviction/ },
    { what: 'no append-only file', facts: { appendOnly: false, appendFsync: 'everysec' }, warning: /appendonly no/ },
    { what: 'a sync every second', facts: { appendFsync: 'everysec' }, warning: /appendfsync everysec/ },
    { what: 'a Redis that does not let us ask', facts: { appendFsync: undefined } },
  ];
  for (const { what, facts, refusal, warning } of cases) {
    it(`${refusal ? 'refuses' : warning ? 'warns of' : 'accepts'} ${what}`, () => {
      const { refusals, warnings } = judgeRedis({ ...GOOD, ...facts });
      assert.match(refusals.join(' '), refusal ?? /^$/);
      assert.match(warnings.join(' '), warning ?? /^$/);
    });
  }
});

describe('connectRedis', () => {
  it('says which Redis does not answer, after the time given', async () => {
    await using folder = await temporaryFolder();
    const address = { socket: join(folder.path, 'none.sock'), host: '', port: 0, database: 0 };
    await assert.rejects(
      connectRedis(address, 50, () => {}),
      (thrown: Error & { code?: string }) => {
        assert.equal(thrown.code, 'relay.redis.unreachable');
        assert.ok(thrown.message.includes(join(folder.path, 'none.sock')));
        assert.ok(thrown.cause instanceof Error);
        return true;
      },
    );
  });

  it('reads the settings of a Redis, and how full it is', async () => {
    await using folder = await temporaryFolder();
    const server = await startRedisServer(folder.path, ['--maxmemory', '100mb']);
    const redis = await connectRedis({ socket: server.socket, host: '', port: 0, database: 0 }, 10_000, () => {});
    const { version, ...facts } = await readRedisFacts(redis);
    assert.deepEqual(facts, { maxmemoryPolicy: 'noeviction', maxmemoryBytes: 104_857_600, appendOnly: true, appendFsync: 'always' });
    assert.match(version, /^\d+\.\d+\.\d+$/);
    const ratio = await readMemoryRatio(redis);
    assert.ok(ratio > 0 && ratio < 0.5);
    await redis.config('SET', 'maxmemory', '0');
    assert.equal(await readMemoryRatio(redis), 0);
    redis.disconnect();
    await server.stop('SIGKILL');
  });
});

describe('openRedis', () => {
  it('refuses a Redis that would delete entries, and says what to set', async () => {
    await using folder = await temporaryFolder();
    const server = await startRedisServer(folder.path, ['--maxmemory-policy', 'allkeys-lru']);
    await assert.rejects(openRedis({ socket: server.socket, host: '', port: 0, database: 0 }, silentLogger), {
      code: 'relay.redis.unsuitable',
      message: /maxmemory-policy allkeys-lru.*Set: maxmemory-policy noeviction/,
    });
    await server.stop('SIGKILL');
  });
});
