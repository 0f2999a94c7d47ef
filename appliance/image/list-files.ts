/** Lists every file, folder and link below a root, sorted: kind and mode, owner and group by number, SHA-256 or target, path. */
import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const PERMISSIONS = 0o7777;

const [root = ''] = process.argv.slice(2);
await list('/');

async function list(path: string): Promise<void> {
  process.stdout.write(`${await lineOf(path)}\n`);
  if (!(await lstat(join(root, path))).isDirectory()) return;
  for (const name of (await readdir(join(root, path))).sort()) await list(join(path, name));
}

async function lineOf(path: string): Promise<string> {
  const place = join(root, path);
  const entry = await lstat(place);
  const mode = (entry.mode & PERMISSIONS).toString(8).padStart(4, '0');
  const [kind, content] = await contentOf(place, entry);
  return [kind, mode, `${entry.uid}:${entry.gid}`, content, path].join('\t');
}

async function contentOf(place: string, entry: Stats): Promise<readonly [kind: string, content: string]> {
  if (entry.isDirectory()) return ['folder', '-'];
  if (entry.isSymbolicLink()) return ['link', `-> ${await readlink(place)}`];
  if (entry.isFile()) return ['file', await hashOf(place)];
  return ['special', String(entry.rdev)];
}

async function hashOf(place: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(place)) hash.update(chunk);
  return hash.digest('hex');
}
