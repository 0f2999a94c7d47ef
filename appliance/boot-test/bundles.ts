/** Signed bundles of releases that come after the image's: the same code under another version, and one that ends at its start. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packBundle } from '../release/pack-bundle.ts';
import { runProgram } from './programs.ts';

const STAGE = fileURLToPath(new URL('../stage-release.sh', import.meta.url));
const STAGE_LIMIT_MS = 600_000;
const START = 'app/src/commands/start.ts';

export interface Bundles {
  /** Public key (PEM) that the machine must trust. */
  readonly publicKey: string;
  /** Version and file. */
  readonly good: Bundle;
  readonly broken: Bundle;
}

export interface Bundle {
  readonly version: string;
  readonly file: string;
}

/** Makes both from the working tree, in `folder`. */
export async function makeBundles(folder: string): Promise<Bundles> {
  await mkdir(folder, { recursive: true });
  const staged = join(folder, 'release');
  const { code, err } = await runProgram('sh', [STAGE, '--dirty', staged], STAGE_LIMIT_MS);
  if (code !== 0) throw new Error(`stage-release.sh ended with ${code}: ${err.trim()}`);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const version = await readVersion(staged);
  const good = await bundleOf(staged, laterThan(version, 1), privateKey);
  const broken = await bundleOf(staged, laterThan(version, 2), privateKey, breakStart);
  await rm(staged, { recursive: true });
  return { publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(), good, broken };
}

async function bundleOf(staged: string, version: string, key: KeyObject, change: (release: string) => Promise<void> = async () => {}): Promise<Bundle> {
  const release = `${staged}-${version}`;
  await cp(staged, release, { recursive: true, verbatimSymlinks: true });
  for (const file of ['release.json', 'app/package.json']) {
    const path = join(release, file);
    await writeFile(path, `${JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), version }, null, 2)}\n`);
  }
  await change(release);
  const file = `${release}.bundle`;
  await packBundle(release, [key], file);
  await rm(release, { recursive: true });
  return { version, file };
}

// It passes every check before the trial: only its start fails.
async function breakStart(release: string): Promise<void> {
  const path = join(release, START);
  const text = await readFile(path, 'utf8');
  const changed = text.replace(/(async function start\(.*\{\n)/, "$1  throw new Error('this release is broken');\n");
  if (changed === text) throw new Error(`${START} has no function start any more`);
  await writeFile(path, changed);
}

async function readVersion(release: string): Promise<string> {
  return (JSON.parse(await readFile(join(release, 'release.json'), 'utf8')) as { version: string }).version;
}

function laterThan(version: string, by: number): string {
  const [major, minor, patch] = version.split('.').map(Number.parseFloat);
  return `${major}.${minor}.${(patch ?? 0) + by}`;
}
