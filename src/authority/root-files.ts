/**
 * Where the authority keeps its roots: root.pem and root.key at first; once another root is on its way, all of them in roots.json, which
 * is written whole or not at all. From then on root.pem is only a copy of the current root, for people and trust files, and root.key is gone.
 * What holds a key is sealed where the machine can (`own-secrets.ts`).
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { readFileIfAny, syncFolder, writeFileAtomic } from '../files.ts';
import type { Format } from '../format.ts';
import type { OwnSecrets } from '../own-secrets.ts';
import type { Identity } from './agent-identity.ts';
import type { Roots } from './rollover.ts';
import { createRoot } from './root-certificate.ts';

/** The authority's files bear no number; this is theirs. */
export const ROOTS_FORMAT: Format = { reads: [1], writes: 1 };

const root = z.object({ certificate: z.string(), privateKey: z.string(), crossed: z.string().optional(), knownSince: z.number().optional() });
const fileContent = z.object({
  current: root,
  next: z.object({ root, beginsAt: z.number() }).optional(),
  retired: z.array(z.object({ certificate: z.string(), trustedUntil: z.number() })),
});

/** Reads the roots, and makes the first one where there never was one. Throws `relay.authority.unusable`. */
export async function readRoots(folder: string, nowMs: number, secrets: OwnSecrets): Promise<Roots> {
  const text = await secrets.read(join(folder, 'roots.json'));
  if (text) {
    const roots = parse(text.toString(), folder);
    await publish(folder, roots);
    return roots;
  }
  return { current: (await readPair(folder, 'root', secrets)) ?? (await createFirst(folder, nowMs, secrets)), retired: [] };
}

/** Keeps the roots: durable, all of them or none. */
export async function writeRoots(folder: string, roots: Roots, secrets: OwnSecrets): Promise<void> {
  await secrets.write(join(folder, 'roots.json'), `${JSON.stringify(roots, null, 2)}\n`);
  await publish(folder, roots);
}

// Done again at every start: a stop between two of these leaves nothing that is believed.
async function publish(folder: string, { current }: Roots): Promise<void> {
  const path = join(folder, 'root.pem');
  if ((await readFileIfAny(path))?.toString() !== current.certificate) await writeFileAtomic(path, current.certificate, 0o644);
  await rm(join(folder, 'root.key'), { force: true });
  await syncFolder(folder);
}

async function createFirst(folder: string, nowMs: number, secrets: OwnSecrets): Promise<Identity> {
  // The server's certificate is written after the root: where one is, a root was.
  if (await readFileIfAny(join(folder, 'server.pem'))) throw unusable(`${join(folder, 'root.pem')} is gone. Restore it and root.key from a backup`);
  const { certificate, privateKey } = await createRoot(nowMs);
  await writePair(folder, 'root', { certificate, privateKey }, secrets);
  return { certificate, privateKey };
}

function parse(text: string, folder: string): Roots {
  const path = join(folder, 'roots.json');
  try {
    const roots = fileContent.parse(JSON.parse(text));
    if ([roots.current, ...(roots.next ? [roots.next.root] : [])].every(belongTogether)) return roots;
  } catch {
    throw unusable(`${path} is damaged. Restore it from a backup`);
  }
  throw unusable(`A certificate and a key in ${path} do not belong together. Restore it from a backup`);
}

/** Writes a certificate and its key; the key first: a certificate on disk always has its key. */
export async function writePair(folder: string, name: string, identity: Identity, secrets: OwnSecrets): Promise<void> {
  await secrets.write(join(folder, `${name}.key`), identity.privateKey);
  await writeFileAtomic(join(folder, `${name}.pem`), identity.certificate, 0o644);
}

/** Reads such a pair; undefined when there is none, or when a server's does not belong together: that one is made anew. */
export async function readPair(folder: string, name: 'root' | 'server', secrets: OwnSecrets): Promise<Identity | undefined> {
  const certificate = await readFileIfAny(join(folder, `${name}.pem`));
  if (!certificate) return undefined;
  const privateKey = await secrets.read(join(folder, `${name}.key`));
  const pair = { certificate: certificate.toString(), privateKey: privateKey?.toString() ?? '' };
  if (belongTogether(pair)) return pair;
  if (name === 'server') return undefined;
  throw unusable(`${join(folder, `${name}.pem`)} and ${name}.key do not belong together. Restore both from the same backup`);
}

function unusable(what: string): RelayError {
  return new RelayError('relay.authority.unusable', `${what}; a new root would make every agent refuse this relay.`);
}

function belongTogether(pair: Identity): boolean {
  try {
    return new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.privateKey));
  } catch {
    return false;
  }
}
