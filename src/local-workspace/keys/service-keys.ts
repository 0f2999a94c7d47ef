/**
 * The service's own keys: versions in one file, the newest first. A rotation makes a new one; an old one stays until nothing is wrapped by it.
 * The file is read at each use: what is no longer there is no longer used, and what is put back works at once.
 *
 * Invariant: a version goes only when it has been an old one for an hour and no data key on disk names it: a data key that was being wrapped as
 * the new version came is on disk by then.
 */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';
import { makePrivateFolder } from '../../files.ts';
import type { Format } from '../../format.ts';
import { createTurns } from '../../in-turn.ts';
import { type OwnSecrets, plainSecrets } from '../../own-secrets.ts';
import type { WrappingKey } from './wrapping.ts';

/** The layout of the file of service keys. */
export const SERVICE_KEYS_FORMAT: Format = { reads: [1], writes: 1 };

const KEY_BYTES = 32;
const ID_BYTES = 4;
const MOST_VERSIONS = 10_000;
const OLD_FOR_MS = 60 * 60_000;

const versionSchema = z.strictObject({ id: z.string().regex(/^[0-9a-f]{8}$/), createdAt: z.iso.datetime(), key: z.base64().length(44) });
const fileSchema = z.strictObject({ format: z.literal(1), versions: z.array(versionSchema).min(1).max(MOST_VERSIONS) });

type Version = z.infer<typeof versionSchema>;

export interface ServiceKeysParts {
  /** `<data>/keys/service-keys.json`. */
  readonly path: string;
  /** How the file is kept: sealed where the credential store hands over a sealing key, plain (mode 0600) unless told. */
  readonly secrets?: OwnSecrets;
  readonly clock: Pick<Clock, 'now'>;
}

/** One version, without the key itself. */
export interface ServiceKeyAge {
  readonly id: string;
  readonly createdAt: number;
}

/** Every method throws `relay.local-workspace.service-keys-unusable` for a file that is there but cannot be used. */
export interface ServiceKeys {
  readonly path: string;
  /** The newest version; undefined when there is no file. */
  current(): Promise<WrappingKey | undefined>;
  /** The newest version. Makes the file where there is none: call it only for what is wrapped for the first time. */
  currentOrMade(): Promise<WrappingKey>;
  /** `none`: the file does not have it. `no-file`: there is no file. */
  find(id: string): Promise<WrappingKey | 'none' | 'no-file'>;
  /** The newest first; empty when there is no file. */
  ages(): Promise<readonly ServiceKeyAge[]>;
  /** Makes a new version, unless one is newer than `stale` already; without `stale` always. Returns the newest. */
  rotate(stale?: string): Promise<ServiceKeyAge>;
  /** Forgets the versions that none of `inUse` names and that have been old for an hour; returns their ids. */
  retire(inUse: ReadonlySet<string>): Promise<readonly string[]>;
}

export function createServiceKeys({ path, secrets = plainSecrets, clock }: ServiceKeysParts): ServiceKeys {
  /** One change of the file at a time. */
  const inTurn = createTurns();
  const read = async (): Promise<readonly Version[]> => {
    const content = await secrets.read(path);
    return content === undefined ? [] : parse(content.toString(), path);
  };
  const write = async (versions: readonly Version[]): Promise<void> => {
    await makePrivateFolder(dirname(path));
    await secrets.write(path, `${JSON.stringify({ format: SERVICE_KEYS_FORMAT.writes, versions }, undefined, 2)}\n`);
  };
  const addTo = async (versions: readonly Version[]): Promise<Version> => {
    const version = newVersion(clock.now(), versions);
    await write([version, ...versions]);
    return version;
  };

  return {
    path,
    async current() {
      return keyOf((await read())[0]);
    },
    currentOrMade: () =>
      inTurn(async () => {
        const versions = await read();
        return keyOf(versions[0] ?? (await addTo(versions)));
      }),
    async find(id) {
      const versions = await read();
      return versions.length === 0 ? 'no-file' : (keyOf(versions.find((version) => version.id === id)) ?? 'none');
    },
    ages: async () => (await read()).map(ageOf),
    rotate: (stale) =>
      inTurn(async () => {
        const versions = await read();
        const [newest] = versions;
        return ageOf(newest && stale !== undefined && newest.id !== stale ? newest : await addTo(versions));
      }),
    retire: (inUse) =>
      inTurn(async () => {
        const versions = await read();
        const gone = retired(versions.map(ageOf), inUse, clock.now());
        if (gone.length > 0) await write(versions.filter(({ id }) => !gone.includes(id)));
        return gone;
      }),
  };
}

/** Which of these versions (the newest first) can go at `now`. */
export function retired(versions: readonly ServiceKeyAge[], inUse: ReadonlySet<string>, now: number): readonly string[] {
  return versions
    .filter(({ id }, place) => {
      const successor = versions[place - 1];
      return successor !== undefined && now - successor.createdAt >= OLD_FOR_MS && !inUse.has(id);
    })
    .map(({ id }) => id);
}

function newVersion(now: number, others: readonly Version[]): Version {
  const id = randomBytes(ID_BYTES).toString('hex');
  // Two under one id would lose the first of them.
  if (others.some((other) => other.id === id)) return newVersion(now, others);
  return { id, createdAt: new Date(now).toISOString(), key: randomBytes(KEY_BYTES).toString('base64') };
}

function keyOf(version: Version): WrappingKey;
function keyOf(version: Version | undefined): WrappingKey | undefined;
function keyOf(version: Version | undefined): WrappingKey | undefined {
  return version && { id: version.id, bytes: Buffer.from(version.key, 'base64') };
}

function ageOf({ id, createdAt }: Version): ServiceKeyAge {
  return { id, createdAt: Date.parse(createdAt) };
}

function parse(text: string, path: string): readonly Version[] {
  try {
    return fileSchema.parse(JSON.parse(text)).versions;
  } catch {
    // What the parsers say may quote a key.
    throw new RelayError('relay.local-workspace.service-keys-unusable', `${path} is no file of service keys. Restore it from a backup.`);
  }
}
