import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startNodeExporter, startRedisExporter } from '../../src/demo/exporters.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('exporters', () => {
  it('give figures of this machine', async () => {
    const exporter = await startNodeExporter();
    try {
      assert.match(await metricsOf(exporter.url), /^node_memory_MemTotal_bytes \d/m);
    } finally {
      await exporter.stop();
    }
  });

  it('give figures of the Redis on a Unix socket, and say so when it is away', async () => {
    await using folder = await temporaryFolder();
    const redis = await startRedisServer(join(folder.path, 'redis'));
    const exporter = await startRedisExporter(redis.socket);
    try {
      assert.match(await metricsOf(exporter.url), /^redis_up 1$/m);
      await redis.stop();
      assert.match(await metricsOf(exporter.url), /^redis_up 0$/m);
    } finally {
      await exporter.stop();
      await redis.stop();
    }
  });
});

async function metricsOf(url: string): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}
