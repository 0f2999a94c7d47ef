/** Segment files damaged while the relay is down: it starts, says so, and everything else is delivered. */
import assert from 'node:assert/strict';
import { appendFile, open, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { PREFIX_BYTES } from '../../../src/cache/segment-format.ts';
import { endOf, type FoundGroup, scanSegment } from '../../../src/cache/segment-scan.ts';
import { sendBatches } from '../../support/fleet.ts';
import { createOracle } from '../../support/oracle.ts';
import { BANK, type Site, startSite } from '../../support/site.ts';
import { closeBooks } from '../books.ts';
import { type Fault, type Figures, sumOf, type Trial } from '../fault.ts';

/** Damages one segment; how many acknowledged batches that destroys. */
type Damage = (path: string, groups: readonly FoundGroup[], random: () => number) => Promise<number>;

const lastOf = (groups: readonly FoundGroup[]): FoundGroup => {
  const last = groups.at(-1);
  assert.ok(last, 'the segment has no groups');
  return last;
};

const halfWritten: Damage = async (path, groups) => {
  const { bytes } = await readGroup(path, lastOf(groups));
  await appendFile(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
  return 0;
};

const zeros: Damage = async (path) => {
  await appendFile(path, Buffer.alloc(4_096));
  return 0;
};

const cutShort: Damage = async (path, groups) => {
  const last = lastOf(groups);
  await truncate(path, endOf(last) - 10);
  return last.header.members.length;
};

const flippedBit: Damage = async (path, groups, random) => {
  const group = groups[Math.floor(random() * (groups.length - 1))];
  assert.ok(group, 'the segment has no groups');
  // Within the seal of one member: only that one can no longer be opened.
  const first = group.offset + PREFIX_BYTES + group.prefix.headerBytes;
  await flip(path, first + Math.floor((group.header.members[0]?.sealedBytes ?? 0) / 2));
  return 1;
};

const flippedHeaderBit: Damage = async (path, groups) => {
  const group = groups[0];
  assert.ok(group, 'the segment has no groups');
  await flip(path, group.offset + PREFIX_BYTES + 5);
  return group.header.members.length;
};

const missing: Damage = async (path, groups) => {
  await rm(path);
  return groups.reduce((sum, { header }) => sum + header.members.length, 0);
};

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 0x10;
    await file.write(byte, 0, 1, at);
  } finally {
    await file.close();
  }
}

async function readGroup(path: string, group: FoundGroup): Promise<{ readonly bytes: Buffer }> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(endOf(group) - group.offset);
    await file.read(bytes, 0, bytes.length, group.offset);
    return { bytes };
  } finally {
    await file.close();
  }
}

async function damage(how: Damage, random: () => number): Promise<Figures> {
  await using site = await startSite({ cache: { segmentSize: '64KiB', groupSize: '4KiB' } });
  const { relay } = site;
  const { local } = site.upstream();
  await local.setFault({ mode: 'down' });
  const oracle = createOracle();
  const machines = await site.machines(4);
  await sendBatches(machines, oracle, 25);
  await relay.end('SIGKILL');
  const path = await someSegment(site, random);
  const destroyed = await how(path, (await scanSegment(path)).groups, random);
  await relay.start();
  await local.setFault({ mode: 'none' });
  await sendBatches(machines, oracle, 2);
  const figures = await closeBooks({ site, oracle, injected: 1, destroyed, mostDuplicated: 0 });
  if (how !== missing) assert.match(relay.log(), /cannot be (read|opened)/, 'the relay says what is damaged');
  return figures;
}

async function someSegment({ relay }: Site, random: () => number): Promise<string> {
  const folder = join(relay.dataFolder, 'cache', 'segments', BANK);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.segment'));
  return join(folder, names[Math.floor(random() * names.length)] ?? '');
}

function fault(name: string, hows: readonly Damage[]): Fault {
  const run = async ({ random, quick }: Trial): Promise<Figures> => {
    const figures: Figures[] = [];
    for (let time = 0; time < (quick ? 1 : 3); time += 1) for (const how of hows) figures.push(await damage(how, random));
    return sumOf(figures);
  };
  return { name, quick: false, run };
}

export const segmentDamage: readonly Fault[] = [
  fault('segment with a torn tail', [halfWritten, zeros, cutShort]),
  fault('segment with a flipped bit', [flippedBit, flippedHeaderBit]),
  fault('segment missing', [missing]),
];
