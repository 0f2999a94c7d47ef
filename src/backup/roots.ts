/** The authority's files as a backup holds them: whether the root and its key are there and belong together. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { type Fingerprint, fingerprintOf, fromPem } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';
import type { MachineSecrets } from './machine-secrets.ts';
import { type Member, stateMember } from './members.ts';

const FOLDER = 'authority';
/** A rotation may move the root from one file to the other just between two reads. */
const TRIES = 3;

const current = z.object({ current: z.object({ certificate: z.string(), privateKey: z.string() }) });

/** Reads the roots with their keys in the clear. Throws `relay.backup.nothing-to-back-up`, `relay.backup.bad-authority`, `relay.own-secrets.sealed`. */
export async function gatherAuthority(data: string, secrets: MachineSecrets): Promise<Member[]> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await readAll(data, secrets);
    const problem = problemOf(nameToContent(found));
    if (problem === undefined) return found;
    if (found.length === 0)
      throw new RelayError(
        'relay.backup.nothing-to-back-up',
        `There is no authority in ${data}: no relay ever ran with this data folder. Check the configuration's "data".`,
      );
    if (attempt === TRIES) throw badAuthority(problem);
  }
}

async function readAll(data: string, secrets: MachineSecrets): Promise<Member[]> {
  const members: Member[] = [];
  for (const name of ['roots.json', 'root.key', 'root.pem', 'issued-until']) {
    const content = await secrets.own(join(data, FOLDER, name));
    if (content) members.push({ name: stateMember(`${FOLDER}/${name}`), content });
  }
  return members;
}

/** The current root's fingerprint, from an archive's members by their names. Throws `relay.backup.bad-authority` when it cannot sign. */
export function rootFingerprintIn(contents: ReadonlyMap<string, Buffer>): Fingerprint {
  const root = rootIn(contents);
  const problem = problemOf(contents);
  if (!root || problem !== undefined) throw badAuthority(problem ?? '');
  return fingerprintOf(fromPem(root.certificate));
}

function problemOf(contents: ReadonlyMap<string, Buffer>): string | undefined {
  const root = rootIn(contents);
  if (!root) return 'the root certificate or its key is missing or damaged';
  try {
    return new X509Certificate(root.certificate).checkPrivateKey(createPrivateKey(root.privateKey))
      ? undefined
      : 'the root certificate and its key do not belong together';
  } catch {
    return 'the root certificate or its key cannot be read';
  }
}

// roots.json stands before the pair of files, as it does for the relay.
function rootIn(contents: ReadonlyMap<string, Buffer>): { readonly certificate: string; readonly privateKey: string } | undefined {
  const textOf = (name: string): string | undefined => contents.get(stateMember(`${FOLDER}/${name}`))?.toString();
  const [roots, certificate, privateKey] = ['roots.json', 'root.pem', 'root.key'].map(textOf);
  if (roots !== undefined) return parsed(roots);
  return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey };
}

function parsed(text: string): z.infer<typeof current>['current'] | undefined {
  try {
    return current.parse(JSON.parse(text)).current;
  } catch {
    return undefined;
  }
}

function nameToContent(members: readonly Member[]): ReadonlyMap<string, Buffer> {
  return new Map(members.flatMap(({ name, content }) => (Buffer.isBuffer(content) ? [[name, content] as const] : [])));
}

function badAuthority(problem: string): RelayError {
  return new RelayError(
    'relay.backup.bad-authority',
    `The authority cannot be used: ${problem}. A relay with another root would be refused by every agent; take another backup.`,
  );
}
