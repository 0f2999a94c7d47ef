import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openRedis } from '../../src/cache/open-redis.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { createLogger, silentLogger } from '../../src/logger.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const at = (socket: string) => ({ socket, host: '', port: 0, database: 0 });

describe('openRedis', () => {
  it('refuses a Redis that would delete entries by itself, and says which setting to change', async () => {
    await using folder = await temporaryFolder();
    const redis = await startRedisServer(folder.path, ['--maxmemory-policy', 'allkeys-lru']);
    await assert.rejects(openRedis(at(redis.socket), silentLogger), { code: 'relay.redis.unsuitable', message: /allkeys-lru.*maxmemory-policy noeviction/ });
    await redis.stop();
  });

  it('warns in words of a Redis that keeps nothing on disk, and takes it', async () => {
    await using folder = await temporaryFolder();
    const server = await startRedisServer(folder.path, ['--appendonly', 'no']);
    const lines: string[] = [];
    const redis = await openRedis(at(server.socket), createLogger('warn', { write: (line: string) => void lines.push(line) }));
    assert.equal(redis.status, 'ready');
    assert.match(lines.join(), /appendonly no/);
    redis.disconnect();
    await server.stop();
  });

  it('has nothing to say of one with the settings of the appliance', async () => {
    await using folder = await temporaryFolder();
    const server = await startRedisServer(folder.path);
    const lines: string[] = [];
    const redis = await openRedis(at(server.socket), createLogger('warn', { write: (line: string) => void lines.push(line) }));
    assert.deepEqual(lines, []);
    redis.disconnect();
    await server.stop();
  });
});
