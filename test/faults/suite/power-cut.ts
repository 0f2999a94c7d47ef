/**
 * Power cuts, by the way of `power-cut/`: everything a real process writes is recorded with its syncs, and for many moments the disk is made as
 * a power cut may leave it. What had been acknowledged at that moment must be on it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openSegmentStore } from '../../../src/cache/segment-store.ts';
import { silentLogger } from '../../../src/logger.ts';
import { type KeyRing, openKeyRing } from '../../../src/workspace/key-ring.ts';
import { seededBytes } from '../../cache/batches.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type Fault, type Figures, NO_FIGURES, sumOf, type Trial } from '../fault.ts';
import { cutPower, writeSurvivors } from '../power-cut/disk-model.ts';
import { type Operation, readTrace, tracing } from '../power-cut/trace.ts';
import { traceIsComplete } from '../power-cut/traced.ts';

const PROGRAM = fileURLToPath(new URL('../power-cut/store-program.ts', import.meta.url));

/** A batch on disk: its id and the hash of its bytes. */
type Kept = ReadonlyMap<string, string>;

/** Opens what a cut left, as a start does, and reads every batch. */
export async function readKept(segments: string, keys: KeyRing): Promise<Kept> {
  const store = await openSegmentStore(
    { folder: segments, segmentBytes: 16_000, memoryBytes: 0 },
    { keys, clock: createManualClock(), random: seededBytes(7), log: silentLogger, onDamage: () => {} },
  );
  const kept = new Map<string, string>();
  for (const { id } of store.workspaces().flatMap((workspaceId) => store.outstanding(workspaceId))) {
    for (const { content } of (await store.read(id)) ?? []) if (content.readable) kept.set(content.batch.id, hash('sha256', content.batch.body));
  }
  await store.close();
  return kept;
}

/** A traced life of the segment store. */
export interface StoreTrace extends AsyncDisposable {
  readonly operations: readonly Operation[];
  readonly folder: string;
  readonly work: string;
  readonly keys: KeyRing;
}

/** Runs the segment store under `strace` through appends, deliveries and rewrites. */
export async function traceStore(seed: number, rounds: number): Promise<StoreTrace> {
  const temporary = await temporaryFolder();
  const [folder, keyFile, traceFile] = ['data', 'keys.json', 'trace'].map((name) => join(temporary.path, name)) as [string, string, string];
  await mkdir(folder);
  const [strace = '', ...options] = tracing(traceFile);
  const running = promisify(execFile)(strace, [...options, process.execPath, PROGRAM, folder, keyFile, String(seed), String(rounds)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  await running;
  await traceIsComplete(traceFile, running.child.pid ?? 0);
  const keys = openKeyRing(await readFile(keyFile, 'utf8'));
  return {
    operations: await readTrace(traceFile, folder),
    folder,
    work: join(temporary.path, 'after'),
    keys,
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** Cuts the power once and says what is lost of what had been acknowledged. */
export async function cutOnce({ operations, folder, work, keys }: StoreTrace, cutAt: number, random: () => number): Promise<Figures> {
  const owed = owedAt(operations, cutAt);
  await rm(work, { recursive: true, force: true });
  await writeSurvivors(cutPower(operations, folder, cutAt, random), work);
  const kept = await readKept(join(work, 'segments'), keys);
  const lost = [...owed.acknowledged].filter(([id, sha256]) => !owed.done.has(id) && kept.get(id) !== sha256).length;
  const again = [...owed.done].filter((id) => kept.has(id)).length;
  return { ...NO_FIGURES, injected: 1, acknowledged: owed.acknowledged.size, delivered: owed.done.size, duplicated: again, lost };
}

function owedAt(operations: readonly Operation[], cutAt: number): { readonly acknowledged: Kept; readonly done: ReadonlySet<string> } {
  const acknowledged = new Map<string, string>();
  const done = new Set<string>();
  for (const operation of operations) {
    if (operation.kind !== 'say') continue;
    for (const [word, id = '', text = ''] of operation.text.split('\n').map((line) => line.split(' '))) {
      // Promised only when it was said to the end; done as soon as anybody could have heard of it.
      if (word === 'kept' && operation.endedAt <= cutAt) acknowledged.set(id, hash('sha256', text));
      if (word === 'done' && operation.beganAt <= cutAt) done.add(id);
    }
  }
  return { acknowledged, done };
}

async function cutTheStore({ quick, random }: Trial): Promise<Figures> {
  await using trace = await traceStore(Math.floor(random() * 1_000_000), quick ? 30 : 120);
  const cuts = quick ? 60 : 600;
  const figures: Figures[] = [];
  for (let cut = 0; cut < cuts; cut += 1) {
    // Between two operations picked at random, so that busy moments are cut as often as quiet ones.
    const at = trace.operations[Math.floor(random() * trace.operations.length)];
    assert.ok(at, 'the trace is empty');
    figures.push(await cutOnce(trace, random() < 0.5 ? at.beganAt : at.endedAt, random));
  }
  return sumOf(figures);
}

export const powerCuts: readonly Fault[] = [{ name: 'power cut: segment store', quick: true, run: cutTheStore }];
