/** Releases that are small and quick: a program that answers as a relay does at its control socket, and keeps a database of some layout. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packBundle } from '../../appliance/release/pack-bundle.ts';
import type { Formats } from '../../src/upgrade/facts-schema.ts';
import { releaseFormats } from '../../src/upgrade/release-facts.ts';
import type { Appliance } from '../support/appliance.ts';

/** How it behaves at its start. */
export type Behaviour = 'works' | 'ends at its start' | 'does not answer' | 'is not ready' | 'ends again and again';

export interface SmallRelease {
  readonly version: string;
  readonly behaviour?: Behaviour;
  /** Of the database; 3 unless given. */
  readonly layout?: number;
  readonly formats?: Formats;
  readonly followsFrom?: string;
  /** Its program, in place of the usual one. */
  readonly program?: string;
}

/** The key pair of whoever makes the releases, and another's. */
export const MAKER: KeyPair = generateKeyPairSync('ed25519');
export const STRANGER: KeyPair = generateKeyPairSync('ed25519');

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The formats of this checkout, with a database of another layout. */
export function formatsWithLayout(layout: number): Formats {
  return { ...releaseFormats, managementGroup: { reads: Array.from({ length: layout }, (_, at) => at + 1), writes: layout } };
}

/** Writes such a release into a folder of its own. */
export async function writeSmallRelease(folder: string, release: SmallRelease): Promise<void> {
  const { version, behaviour = 'works', layout = 3, formats = formatsWithLayout(layout), followsFrom = '0.1.0' } = release;
  await mkdir(join(folder, 'bin'), { recursive: true });
  await mkdir(join(folder, 'app', 'src'), { recursive: true });
  await writeFile(join(folder, 'bin', 'node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  await chmod(join(folder, 'bin', 'node'), 0o755);
  await writeFile(join(folder, 'app', 'package.json'), JSON.stringify({ version, type: 'module' }));
  await writeFile(join(folder, 'app', 'src', 'main.ts'), release.program ?? programOf(version, behaviour, layout));
  const facts = { name: 'ops-relay', version, builtAt: '2026-11-28T00:00:00.000Z', node: process.versions.node, followsFrom, formats };
  await writeFile(join(folder, 'release.json'), JSON.stringify(facts));
}

/** Makes a bundle of such a release; its path. */
export async function smallBundle(folder: string, release: SmallRelease, keys: readonly KeyObject[] = [MAKER.privateKey]): Promise<string> {
  const name = `${release.version}-${release.behaviour ?? 'works'}`.replaceAll(' ', '-');
  await writeSmallRelease(join(folder, name), release);
  const path = join(folder, `${name}.bundle`);
  await packBundle(join(folder, name), keys, path);
  return path;
}

/** Has an appliance run a small release 0.1.0, and trust the maker's key. */
export async function withSmallRelease(appliance: Appliance): Promise<void> {
  await appliance.configure({});
  const { releases, releaseKeys } = appliance.places;
  await writeFile(join(releaseKeys, 'maker.pem'), MAKER.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeSmallRelease(join(releases, '0.1.0'), { version: '0.1.0' });
  await appliance.use('0.1.0');
  await appliance.service.start();
}

// Each start adds a row, as enrolments do.
function programOf(version: string, behaviour: Behaviour, layout: number): string {
  return `
import { rmSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
const [command, , file] = process.argv.slice(2);
if (command === '--version') console.log('${version}');
if (command === 'start') {
  const { data } = JSON.parse(readFileSync(file, 'utf8'));
  const database = new DatabaseSync(data + '/management-group.sqlite');
  const { user_version: found } = database.prepare('PRAGMA user_version').get();
  if (found > ${layout}) { console.log('written by a newer relay'); process.exit(1); }
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS starts (version TEXT);');
  database.exec("INSERT INTO starts VALUES ('${version}'); PRAGMA user_version = ${layout};");
  console.log('${version} starts');
  const behaviour = '${behaviour}';
  if (behaviour === 'ends at its start') { console.log('out of order'); process.exit(1); }
  const ready = behaviour === 'is not ready' ? { ok: false, reasons: ['Nothing works.'] } : { ok: true };
  const socket = data + '/relay.sock';
  rmSync(socket, { force: true });
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ version: '${version}', pid: process.pid, cache: { ready } }));
    if (behaviour === 'ends again and again') response.on('close', () => process.exit(1));
  });
  const settled = () => console.log('${version} is as it will be');
  if (behaviour === 'does not answer') setInterval(() => {}, 1000, settled());
  else server.listen(socket, settled);
  process.on('SIGTERM', () => { database.close(); process.exit(0); });
}
`;
}
