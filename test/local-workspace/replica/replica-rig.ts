import { createHash, randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { linkReplica } from '../../../src/local-workspace/replica/marks.ts';
import { openReplica, type Replica, type ReplicaParts } from '../../../src/local-workspace/replica/replica.ts';
import { type ReplicaSettings, replicaSettingsSchema } from '../../../src/local-workspace/replica/settings.ts';
import type { ReplicaSource, SourceFile } from '../../../src/local-workspace/replica/source.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../rig.ts';

export const START: number = Date.UTC(2026, 10, 29);

/** A data folder of plain files, as the store keeps it: the catalogue lists the files. */
export interface FirstDisk {
  readonly folder: string;
  readonly source: ReplicaSource;
  seal(path: string, content: string): Promise<SourceFile>;
  /** Appends to a log; where the bytes begin. */
  grow(path: string, content: string): Promise<number>;
  remove(path: string): Promise<void>;
}

export async function createFirstDisk(t: TestContext, given?: string): Promise<FirstDisk> {
  const folder = given ?? (await temporaryFolder(t));
  const files = new Map<string, SourceFile>();
  const logs = new Map<string, number>();
  const write = async (path: string, content: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  return {
    folder,
    source: {
      folder,
      files: async () => [...files.values()],
      logs: async () => [...logs].map(([path, bytes]) => ({ path, bytes })),
      catalogue: {
        path: 'catalogue.sqlite',
        async copyTo(path) {
          await writeFile(path, JSON.stringify([...files.keys()]), { flag: 'wx' });
          return [...files.values()];
        },
      },
    },
    async seal(path, content) {
      await write(path, content);
      const file = { path, bytes: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('hex') };
      files.set(path, file);
      return file;
    },
    async grow(path, content) {
      const offset = logs.get(path) ?? 0;
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await appendFile(join(folder, path), content);
      logs.set(path, offset + Buffer.byteLength(content));
      return offset;
    },
    async remove(path) {
      files.delete(path);
      logs.delete(path);
      await rm(join(folder, path));
    },
  };
}

export interface ReplicaRig extends FirstDisk {
  /** The second disk. */
  readonly replicaFolder: string;
  readonly clock: ManualClock;
  /** A replica as a new process opens it; closed after the test. */
  open(settings?: Partial<ReplicaSettings>, more?: Partial<ReplicaParts>): Promise<Replica>;
  /** Writes to the log on the first disk, then tells the replica. */
  append(replica: Replica, path: string, content: string): Promise<void>;
  onReplica(path: string): Promise<string | undefined>;
}

export async function createReplicaRig(t: TestContext): Promise<ReplicaRig> {
  const opened: Replica[] = [];
  // Before the folders, which are removed in the same order.
  t.after(() => Promise.all(opened.map((replica) => replica.close())));
  const first = await createFirstDisk(t);
  const replicaFolder = join(await temporaryFolder(t), 'second');
  await mkdir(replicaFolder);
  await linkReplica({ dataFolder: first.folder, folder: replicaFolder, newId: randomUUID });
  const clock = createManualClock(START);
  return {
    ...first,
    replicaFolder,
    clock,
    async open(settings = {}, more = {}) {
      const all = { ...replicaSettingsSchema.parse({ folder: replicaFolder }), ...settings };
      const replica = await openReplica({ dataFolder: first.folder, settings: all, source: first.source, clock, log: silentLogger, ...more });
      opened.push(replica);
      return replica;
    },
    async append(replica, path, content) {
      await replica.append(path, await first.grow(path, content), Buffer.from(content));
    },
    onReplica: (path) => readFile(join(replicaFolder, path), 'utf8').catch(() => undefined),
  };
}
