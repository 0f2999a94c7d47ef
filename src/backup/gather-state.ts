/** Gathers what the data folder holds, in the clear, as members of an archive. Nothing in the folder is changed. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Configuration } from '../configuration/schema.ts';
import { RelayError } from '../errors.ts';
import { gatherAudit } from './gather-audit.ts';
import type { MachineSecrets } from './machine-secrets.ts';
import type { LeftOut } from './manifest.ts';
import { type FileContent, type Member, stateMember } from './members.ts';
import { gatherAuthority } from './roots.ts';
import { AUDIT_KEY, DATABASE, isMadeAnew, KEY_RING, type Part, stateFile } from './state-files.ts';

export interface GatheredState {
  readonly members: readonly Member[];
  /** Files that are there and that nobody knows. */
  readonly leftOut: readonly LeftOut[];
  readonly isRingCredential: boolean;
}

export interface StateParts {
  readonly configuration: Configuration;
  readonly secrets: MachineSecrets;
  readonly parts: readonly Part[];
  /** A consistent copy of the database, made before this is called: the key ring may have won keys since, but has lost none that sealed something in it. */
  readonly database: FileContent;
}

/** Throws `relay.backup.nothing-to-back-up`, `relay.backup.bad-authority`, `relay.own-secrets.sealed`, `relay.backup.unreadable-file`. */
export async function gatherState({ configuration, secrets, parts, database }: StateParts): Promise<GatheredState> {
  const { data, cache, audit } = configuration;
  const credential = await secrets.keyRing();
  const keyRing = credential ?? (await secrets.own(cache.keyFile ?? join(data, KEY_RING)));
  const auditKey = await secrets.own(audit.keyFile);
  if (!keyRing || !auditKey)
    throw new RelayError(
      'relay.backup.nothing-to-back-up',
      `The ${keyRing ? "audit log's key" : 'key ring'} is not there. Start the relay once; it makes or asks for what is missing.`,
    );
  const taken: Member[] = [
    { name: stateMember(DATABASE), content: database },
    { name: stateMember(KEY_RING), content: keyRing },
    { name: stateMember(AUDIT_KEY), content: auditKey },
    ...(await gatherAuthority(data, secrets)),
    ...(parts.includes('audit') ? await gatherAudit(data) : []),
  ];
  const names = new Set([...taken.map(({ name }) => name), ...[cache.keyFile ?? '', audit.keyFile].map((path) => stateMember(relative(data, path)))]);
  const others = (await filesIn(data, parts)).filter((path) => !names.has(stateMember(path)) && !isMadeAnew(path));
  const more = await Promise.all(others.map((path) => memberOf(data, path, { secrets, parts })));
  return {
    members: [...taken, ...more.flat()],
    leftOut: others.filter((path) => !stateFile(path)).map((path) => ({ what: join(data, path), reason: 'this release does not know it' })),
    isRingCredential: credential !== undefined,
  };
}

async function memberOf(data: string, path: string, { secrets, parts }: Pick<StateParts, 'secrets' | 'parts'>): Promise<Member[]> {
  const file = stateFile(path);
  // What of the log came since it was gathered belongs to the next backup.
  if (!file || file.part === 'audit' || !parts.includes(file.part)) return [];
  const at = join(data, path);
  const name = stateMember(path);
  // What nobody writes any more is not read into memory: a cache at rest, a database that was set aside.
  if (file.part === 'cache' || path.endsWith('.sqlite')) return [{ name, content: { path: at, bytes: (await stat(at)).size } }];
  const content = await secrets.own(at);
  return content ? [{ name, content }] : [];
}

// Paths below the data folder, in their order; the folders of what is not wanted are not entered.
async function filesIn(data: string, parts: readonly Part[], folder = ''): Promise<string[]> {
  const entries = await readdir(join(data, folder), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a: Dirent, b: Dirent) => (a.name < b.name ? -1 : 1))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if ((path === 'cache' && !parts.includes('cache')) || (path === 'audit' && !parts.includes('audit')) || path === 'lost+found') continue;
    if (entry.isDirectory()) found.push(...(await filesIn(data, parts, path)));
    else found.push(path);
  }
  return found;
}
