/**
 * The management group's keys. One root key seals everything at rest; each workspace gets a key of its own, derived from it (HKDF,
 * RFC 5869), so that what is sealed for one workspace cannot be opened for another. Old keys stay in the ring until nothing they
 * sealed is left.
 */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { RelayError } from '../errors.ts';
import type { Format } from '../format.ts';
import type { WorkspaceId } from './workspace-id.ts';

/** The ring's file bears no number; this is its own. */
export const KEY_RING_FORMAT: Format = { reads: [1], writes: 1 };

const KEY_BYTES = 32;
const KEY_ID = /^[0-9a-f]{8}$/;

export interface KeyRing {
  /** Eight hexadecimal digits: the key that seals what comes now. A rotation changes it: read it each time. */
  readonly currentKeyId: string;
  has(keyId: string): boolean;
  /** The key of one workspace; undefined when the ring no longer has that key id. */
  workspaceKey(workspaceId: WorkspaceId, keyId: string): KeyObject | undefined;
  /** A key for something that belongs to the management group itself, such as its enrolment keys. */
  groupKey(purpose: string, keyId: string): KeyObject | undefined;
}

/** A ring whose content can be replaced while others use it. */
export interface LiveKeyRing extends KeyRing {
  /** What its file holds: secret. */
  content(): KeyRingFile;
  /** From now on this is the ring. Throws `relay.keys.unusable`, and stays as it was, when it is none. */
  replace(content: KeyRingFile): void;
}

/** How a ring is kept in its file: ids to base64 keys of 32 bytes. */
export interface KeyRingFile {
  readonly current: string;
  readonly keys: Readonly<Record<string, string>>;
  /** Ids to the time each key was made, ISO 8601. Rings of earlier releases have none. */
  readonly createdAt?: Readonly<Record<string, string>>;
}

/** A new ring with one key made by chance. */
export function generateKeyRing(nowMs?: number): KeyRingFile {
  return withNewKey({ current: '', keys: {} }, nowMs);
}

/** The ring with one more key, which seals what comes from now on. */
export function withNewKey({ keys, createdAt }: KeyRingFile, nowMs?: number): KeyRingFile {
  const id = randomBytes(4).toString('hex');
  // Two keys under one id would lose the first of them.
  if (Object.hasOwn(keys, id)) return withNewKey({ current: id, keys, ...(createdAt ? { createdAt } : {}) }, nowMs);
  const times = { ...createdAt, ...(nowMs === undefined ? {} : { [id]: new Date(nowMs).toISOString() }) };
  return { current: id, keys: { ...keys, [id]: randomBytes(KEY_BYTES).toString('base64') }, ...(Object.keys(times).length > 0 ? { createdAt: times } : {}) };
}

/** The ring without these keys; the current one always stays. */
export function withoutKeys({ current, keys, createdAt }: KeyRingFile, ids: ReadonlySet<string>): KeyRingFile {
  const stays = ([id]: readonly [string, string]): boolean => id === current || !ids.has(id);
  const kept = { current, keys: Object.fromEntries(Object.entries(keys).filter(stays)) };
  return createdAt ? { ...kept, createdAt: Object.fromEntries(Object.entries(createdAt).filter(stays)) } : kept;
}

/** Reads a ring's file. Throws `relay.keys.unusable` when the text is not one; the message never shows a key. */
export function readKeyRing(text: string): KeyRingFile {
  const file = parse(text);
  rootsOf(file);
  return file;
}

/** Opens a ring. Throws as `readKeyRing`. */
export function openKeyRing(text: string): LiveKeyRing {
  let content = parse(text);
  let roots = rootsOf(content);
  const derived = new Map<string, KeyObject>();

  const derive = (keyId: string, info: string): KeyObject | undefined => {
    const root = roots.get(keyId);
    if (!root) return undefined;
    const name = `${keyId} ${info}`;
    const known = derived.get(name);
    if (known) return known;
    const key = createSecretKey(Buffer.from(hkdfSync('sha256', root, Buffer.alloc(0), info, KEY_BYTES)));
    derived.set(name, key);
    return key;
  };

  return {
    get currentKeyId() {
      return content.current;
    },
    has: (keyId) => roots.has(keyId),
    content: () => content,
    replace(next) {
      roots = rootsOf(next);
      content = next;
      derived.clear();
    },
    workspaceKey: (workspaceId, keyId) => derive(keyId, `relay workspace ${workspaceId}`),
    groupKey: (purpose, keyId) => derive(keyId, `relay group ${purpose}`),
  };
}

function rootsOf(file: KeyRingFile): Map<string, Buffer> {
  const keys = new Map(Object.entries(file.keys).map(([id, key]) => [id, Buffer.from(String(key), 'base64')]));
  for (const [id, key] of keys) {
    // What is no id may be a key in the wrong place, so it is not shown.
    if (!KEY_ID.test(id)) throw unusable('one of its keys is not under an id of eight hexadecimal digits');
    if (key.length !== KEY_BYTES) throw unusable(`key ${id} is not 32 bytes in base64`);
  }
  if (!keys.has(file.current)) throw unusable('"current" names no key of the ring');
  return keys;
}

function parse(text: string): KeyRingFile {
  try {
    const value = JSON.parse(text) as Partial<KeyRingFile> | null;
    if (typeof value?.current === 'string' && typeof value.keys === 'object' && value.keys !== null) return value as KeyRingFile;
  } catch {
    // The parser's message would quote the text, which is a secret.
  }
  throw unusable('it is not JSON with "current" and "keys"');
}

function unusable(what: string): RelayError {
  return new RelayError(
    'relay.keys.unusable',
    `The key ring cannot be used: ${what}. Restore the file from its backup; what was sealed with lost keys cannot be opened.`,
  );
}
