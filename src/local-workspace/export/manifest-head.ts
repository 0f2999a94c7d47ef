/** A signed note of the manifest's last line: by it a tail that was cut off is found. It is written after the line it names. */
import { type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import type { ManifestHead } from './manifest-line.ts';
import type { ExportSigner } from './signer.ts';

const noteSchema = z.strictObject({ number: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/), signature: z.string().regex(/^[0-9a-f]{128}$/) });

/** The note, as a file's content. */
export function writeHeadNote(head: ManifestHead, workspace: string, signer: ExportSigner): string {
  return noteOf(head, signer.sign(signedBytes(head, workspace)).toString('hex'));
}

/** Reads a note; undefined when it was not written, to the byte, with the private half of this key for this workspace. */
export function readHeadNote(text: string, workspace: string, key: KeyObject): ManifestHead | undefined {
  const note = noteSchema.safeParse(parse(text)).data;
  if (!note || noteOf(note, note.signature) !== text) return undefined;
  const { number, hash, signature } = note;
  return verify(null, signedBytes(note, workspace), key, Buffer.from(signature, 'hex')) ? { number, hash } : undefined;
}

/** A head as people note it: `12:8f2c…`. */
export function formatHead({ number, hash }: ManifestHead): string {
  return `${number}:${hash}`;
}

/** Reads what `formatHead` writes; undefined for anything else. */
export function readHead(text: string): ManifestHead | undefined {
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  return number === undefined || hash === undefined ? undefined : { number: Number(number), hash };
}

function noteOf({ number, hash }: ManifestHead, signature: string): string {
  return `${JSON.stringify({ number, hash, signature })}\n`;
}

function signedBytes({ number, hash }: ManifestHead, workspace: string): Buffer {
  return Buffer.from(`relay export head ${workspace} ${number} ${hash}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
