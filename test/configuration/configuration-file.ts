import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A configuration file in a folder of its own, which is removed with it. */
export interface ConfigurationFile extends AsyncDisposable {
  readonly path: string;
  readonly folder: string;
}

export async function createConfigurationFile(text: string): Promise<ConfigurationFile> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'relay-configuration-'));
  const path = join(folder.path, 'relay.yaml');
  await writeFile(path, text);
  return { path, folder: folder.path, [Symbol.asyncDispose]: () => folder.remove() };
}
