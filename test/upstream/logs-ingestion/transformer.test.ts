import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createTransformer } from '../../../src/upstream/logs-ingestion/transformer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const TASK = { batches: [], isAuxiliary: false, maxBytes: 1 };

test('a thread that ends is replaced, and its work done once more', async () => {
  await using folder = await temporaryFolder();
  const thread = join(folder.path, 'thread.mjs');
  const source = `
    import { existsSync, writeFileSync } from 'node:fs';
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', () => {
      if (existsSync('${folder.path}/once')) return parentPort.postMessage({ done: { pieces: [], batches: [] } });
      writeFileSync('${folder.path}/once', '');
      process.exit(3);
    });`;
  await writeFile(thread, source);
  const transformer = createTransformer(pathToFileURL(thread), 1);
  assert.deepEqual(await transformer.transform(TASK), { pieces: [], batches: [] });
  await transformer.close();
  await assert.rejects(transformer.transform(TASK), { code: 'relay.upstream.thread-ended' });
});
