/**
 * Run by the power cut under `strace`: the segment store with the relay's own settings, on time that it moves itself. Says on standard output,
 * so in the trace, what it acknowledges (`kept <batch id> <text>`) and, before the store is told, what is delivered (`done <batch id>`).
 */
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch } from '../../../src/batch/batch.ts';
import { KINDS } from '../../../src/batch/kind.ts';
import type { GroupId } from '../../../src/cache/segment-format.ts';
import { openSegmentStore } from '../../../src/cache/segment-store.ts';
import { silentLogger } from '../../../src/logger.ts';
import { generateKeyRing, openKeyRing } from '../../../src/workspace/key-ring.ts';
import { batchOf, OTHER, START_MS, seededBytes, WORKSPACE } from '../../cache/batches.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { seeded } from '../../support/seeded.ts';

const [folder = '', keyFile = '', seed = '1', rounds = '40'] = process.argv.slice(2);
const random = seeded(Number(seed));
const ring = JSON.stringify(generateKeyRing());
writeFileSync(keyFile, ring);
const clock = createManualClock(START_MS);
const store = await openSegmentStore(
  { folder: join(folder, 'segments'), segmentBytes: 16_000, memoryBytes: 0 },
  { keys: openKeyRing(ring), clock, random: seededBytes(Number(seed)), log: silentLogger, onDamage: () => {} },
);
const held = new Map<GroupId, readonly Batch[]>();

async function keep(workspaceId: typeof WORKSPACE, number: number): Promise<void> {
  const kind = KINDS[Math.floor(random() * 2)] ?? 'Event';
  const batches = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, at) =>
    batchOf(`${number}.${at}.`.repeat(1 + random() * 150), { workspaceId, kind }),
  );
  const { id } = await store.append(batches);
  held.set(id, batches);
  say(batches.map((batch) => `kept ${batch.id} ${batch.body.toString()}`));
}

function finishMost(): void {
  for (const [id, batches] of held) {
    if (random() < 0.15) continue;
    held.delete(id);
    say(batches.map((batch) => `done ${batch.id}`));
    store.markDone(
      id,
      batches.map((_, position) => position),
    );
  }
}

// At once, whatever standard output is: the line must be in the trace before what follows from it.
function say(lines: readonly string[]): void {
  writeSync(1, `${lines.join('\n')}\n`);
}

for (let round = 0; round < Number(rounds); round += 1) {
  await Promise.all([WORKSPACE, OTHER, WORKSPACE, WORKSPACE].map((workspaceId, at) => keep(workspaceId, round * 10 + at)));
  if (random() < 0.4) finishMost();
  clock.advance(random() < 0.2 ? 60_000 : 200);
  await new Promise((resolve) => setImmediate(resolve));
}
await store.close();
