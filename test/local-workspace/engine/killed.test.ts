import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seeded } from '../../support/seeded.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fieldsOf, openStore } from './engine-rig.ts';
import { OLD } from './killed-plan.ts';

const SCRIPT = fileURLToPath(new URL('store-process.ts', import.meta.url));
const ROUNDS = 30;

/** What is known of one entry: the rows that were acknowledged. */
interface Acknowledged {
  readonly seq: number;
  readonly kind: string;
  readonly numbers: readonly number[];
}

interface Told {
  readonly acknowledged: Acknowledged[];
  /** By kind, the last place up to which rows may have been taken away, and up to which they were. */
  readonly mayBeGone: Map<string, number>;
  readonly isGone: Map<string, number>;
}

function note(told: Told, line: string): void {
  const [what = '', seqText, kind = OLD, ...numbers] = line.split(' ');
  const seq = Number(seqText);
  const raise = (marks: Map<string, number>): void => void marks.set(kind, Math.max(seq, marks.get(kind) ?? 0));
  if (what === 'staged') told.acknowledged.push({ seq, kind, numbers: numbers.map(Number) });
  if (what === 'purges' || what === 'trims') raise(told.mayBeGone);
  if (what === 'purged' || what === 'trimmed') raise(told.isGone);
}

interface Moment {
  /** After so many lines that the process has written. */
  readonly lines: number;
  /** Before this call of its own that changes files, if that is earlier; 0: none. */
  readonly call: number;
}

/** Runs the process until that moment; every line that it wrote is noted. */
async function runUntilKilled(folder: string, seed: number, { lines, call }: Moment, told: Told): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, folder, String(seed), String(call)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let left = lines;
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    note(told, line);
    left -= 1;
    if (left === 0) child.kill('SIGKILL');
  });
  const [, signal] = await closed;
  assert.equal(signal, 'SIGKILL');
}

function checkRows(told: Told, numbers: readonly unknown[]): void {
  const found = new Set(numbers);
  assert.equal(found.size, numbers.length, 'a row is there twice');
  for (const { seq, kind, numbers: own } of told.acknowledged) {
    const there = own.filter((n) => found.has(n)).length;
    if (seq > (told.mayBeGone.get(kind) ?? 0)) assert.equal(there, own.length, `of entry ${seq} (${kind}) only ${there} rows are there`);
    if (seq <= (told.isGone.get(kind) ?? 0)) assert.equal(there, 0, `of entry ${seq} (${kind}) ${there} rows came back`);
  }
}

async function checkFiles(folder: string, store: Awaited<ReturnType<typeof openStore>>): Promise<void> {
  const segments = await store.ask('segments', undefined);
  const names = await readdir(join(folder, 'segments'));
  assert.deepEqual(names.sort(), segments.map(({ id }) => `${id}.seg`).sort());
  for (const { id, sha256 } of segments) assert.equal(hash('sha256', await readFile(join(folder, 'segments', `${id}.seg`))), sha256);
}

test('killed at any moment, a store has every acknowledged row once, and none that was trimmed or purged', async () => {
  await using folder = await temporaryFolder();
  const own = join(folder.path, 'store');
  const random = seeded(4_711);
  const told: Told = { acknowledged: [], mayBeGone: new Map(), isGone: new Map() };
  for (let round = 1; round <= ROUNDS; round += 1) {
    const moment = { lines: 1 + Math.floor(random() * 150), call: round % 3 === 0 ? 0 : 1 + Math.floor(random() * 80) };
    await runUntilKilled(own, round, moment, told);
    // A copy is looked at, so that the next process finds what the last one left.
    const copy = join(folder.path, `copy-${round}`);
    await cp(own, copy, { recursive: true });
    await using store = await openStore(copy);
    await checkFiles(copy, store);
    await store.settle();
    await checkFiles(copy, store);
    checkRows(told, fieldsOf(await store.rows('Door_CL'), 'n'));
    assert.deepEqual(
      store.events.filter(({ kind }) => kind !== 'changed'),
      [],
    );
  }
  // What was to be seen did happen.
  assert.ok(told.acknowledged.length > 200 && told.isGone.size === 4, `${told.acknowledged.length} entries, ${told.isGone.size} kinds`);
});
