import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openKernelMessages, readKernelMessage } from '../../../src/agent/collectors/kernel-messages.ts';
import { openPositions } from '../../../src/agent/collectors/log-positions.ts';
import type { LogSource } from '../../../src/agent/collectors/log-source.ts';
import { systemClock } from '../../../src/clock.ts';
import { makeTestFolder } from '../test-folder.ts';

describe('kernel messages', () => {
  it('are read with priority, sequence, time and first line', () => {
    const text = '5,341,1320186,-;virtio_blk virtio1: new size: 5; more\n SUBSYSTEM=virtio\n DEVICE=+virtio:virtio1\n';
    assert.deepEqual(readKernelMessage(text), { priority: 5, sequence: 341, sinceStartMs: 1_320.186, text: 'virtio_blk virtio1: new size: 5; more' });
    assert.equal(readKernelMessage(' SUBSYSTEM=virtio'), undefined);
  });

  it('of this machine are read once, where this user may read them', async () => {
    await using folder = await makeTestFolder();
    const open = async (): Promise<LogSource> =>
      await openKernelMessages({ path: '/dev/kmsg', firstLines: 3, hostName: 'web01', positions: await openPositions(folder.path), clock: systemClock });
    const source = await open().catch((error: NodeJS.ErrnoException) => {
      assert.match(error.code ?? '', /^(EPERM|EACCES|ENOENT)$/);
      return undefined;
    });
    const chunk = await source?.next();
    await chunk?.commit();
    await source?.close();
    for (const record of chunk?.records ?? []) assert.equal(record.ident, 'kernel');
    const again = chunk && (await open());
    const texts = new Set(chunk?.records.map(({ EventTime, Message }) => `${EventTime} ${Message}`));
    for (const record of (await again?.next())?.records ?? []) assert.equal(texts.has(`${record.EventTime} ${record.Message}`), false);
    await again?.close();
  });
});
