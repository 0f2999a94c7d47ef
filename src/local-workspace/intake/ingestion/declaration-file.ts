import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, RelayError } from '../../../errors.ts';
import { readSecretFile } from '../../../files.ts';
import { readDeclaration, type WrittenDeclaration } from './declaration.ts';

/**
 * Reads a declaration from a JSON file. An app may name files there, relative to this one, instead of what is in them: `secretFiles` and
 * `certificateFiles`. Throws `relay.local-workspace.bad-rules`.
 */
export async function readDeclarationFile(path: string, warn: (message: string) => void): Promise<WrittenDeclaration> {
  const written = parse(path, await readSecretFile(path, warn));
  if (isObject(written) && Array.isArray(written['apps'])) {
    written['apps'] = await Promise.all(written['apps'].map((app: unknown) => (isObject(app) ? withFiles(app, dirname(path), warn) : app)));
  }
  return readDeclaration(written);
}

async function withFiles(app: Record<string, unknown>, folder: string, warn: (message: string) => void): Promise<Record<string, unknown>> {
  const { secretFiles, certificateFiles, ...rest } = app;
  const read = (names: unknown, one: (path: string) => Promise<string>): Promise<string[]> =>
    Promise.all((Array.isArray(names) ? names : []).map((name) => one(resolve(folder, String(name)))));
  const secrets = await read(secretFiles, (path) => readSecretFile(path, warn));
  const certificates = await read(certificateFiles, (path) => readFile(path, 'utf8').catch((cause: unknown) => unreadable(path, cause)));
  return { ...rest, secrets: [...listOf(rest['secrets']), ...secrets], certificates: [...listOf(rest['certificates']), ...certificates] };
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): never {
  throw new RelayError('relay.local-workspace.bad-rules', `The file ${path} cannot be read: ${messageOf(cause)}. Correct it, and give it again.`);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
