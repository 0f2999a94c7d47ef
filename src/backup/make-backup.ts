/** Makes a backup: gathers, writes beside the target, reads all of it back, and only then gives it its name. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Configuration } from '../configuration/schema.ts';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, syncFolder } from '../files.ts';
import { factsOfCopy } from '../management-group/copy.ts';
import { auditHead } from './gather-audit.ts';
import { gatherFiles } from './gather-files.ts';
import { gatherState } from './gather-state.ts';
import type { MachineSecrets } from './machine-secrets.ts';
import { CONFIGURATION, FORMAT, MANIFEST, type Manifest, type Sum } from './manifest.ts';
import type { Member } from './members.ts';
import { readBack } from './read-back.ts';
import { rootFingerprintIn } from './roots.ts';
import type { Part } from './state-files.ts';
import { writeArchive } from './write-archive.ts';

export interface BackupOrder {
  readonly configuration: Configuration;
  readonly configurationFile: string;
  readonly secrets: MachineSecrets;
  /** What goes in beside the state. */
  readonly parts: readonly Part[];
  /** Writes a consistent copy of the agents' database to a path, where nothing is yet. */
  readonly copyDatabase: (path: string) => Promise<void>;
  readonly isLive: boolean;
  readonly passphrase: string;
  /** The file to make; nothing is there yet. */
  readonly out: string;
  readonly release: string;
  readonly host: string;
  readonly now: () => number;
  /** For tests alone. */
  readonly workFactor?: number;
}

export interface MadeBackup {
  readonly path: string;
  readonly bytes: number;
  readonly sums: readonly Sum[];
  readonly manifest: Manifest;
}

/** Makes it. Nothing is left behind when it fails. Throws what gathering, writing and reading back throw, and `relay.backup.exists`. */
export async function makeBackup(order: BackupOrder): Promise<MadeBackup> {
  const out = resolve(order.out);
  await mustBeNew(out);
  const draft = join(dirname(out), `.${basename(out)}.${randomBytes(6).toString('hex')}`);
  await makeFolder(draft);
  try {
    const { manifest, members } = await gather(order, join(draft, 'database'));
    const path = join(draft, 'backup');
    const { passphrase, workFactor } = order;
    const { bytes, sums } = await writeArchive(path, members, { passphrase, at: Date.parse(manifest.madeAt), workFactor });
    await readBack(path, passphrase, sums);
    await mustBeNew(out);
    await rename(path, out);
    await syncFolder(dirname(out));
    return { path: out, bytes, sums, manifest };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function gather(order: BackupOrder, database: string): Promise<{ readonly manifest: Manifest; readonly members: readonly Member[] }> {
  const { configuration, configurationFile, secrets, parts } = order;
  await order.copyDatabase(database);
  const { agents } = factsOfCopy(database);
  const head = await auditHead(configuration.data);
  const state = await gatherState({ configuration, secrets, parts, database: { path: database, bytes: (await stat(database)).size } });
  const files = await gatherFiles(configuration, secrets);
  const manifest: Manifest = {
    format: FORMAT,
    release: order.release,
    host: order.host,
    domain: configuration.domain,
    madeAt: new Date(order.now()).toISOString(),
    rootFingerprint: rootFingerprintIn(contentsOf(state.members)),
    agents,
    isLive: order.isLive,
    parts: [...parts],
    configuration: { folder: dirname(configurationFile), data: configuration.data },
    isRingCredential: state.isRingCredential,
    files: [...files.files],
    leftOut: [...state.leftOut, ...files.leftOut],
    ...(head ? { auditHead: head } : {}),
  };
  const first = [
    { name: MANIFEST, content: Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`) },
    { name: CONFIGURATION, content: await readFile(configurationFile) },
  ];
  return { manifest, members: [...first, ...files.members, ...state.members] };
}

function contentsOf(members: readonly Member[]): ReadonlyMap<string, Buffer> {
  return new Map(members.flatMap(({ name, content }) => (Buffer.isBuffer(content) ? [[name, content] as const] : [])));
}

async function makeFolder(path: string): Promise<void> {
  try {
    await makePrivateFolder(path);
  } catch (cause) {
    throw new RelayError(
      'relay.backup.cannot-write',
      `Nothing can be written in ${dirname(path)}. Check that it is a folder and that this user may write there, or name another place with --out.`,
      { cause },
    );
  }
}

async function mustBeNew(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) throw new RelayError('relay.backup.exists', `There is a file ${path} already. Name another with --out.`);
}
