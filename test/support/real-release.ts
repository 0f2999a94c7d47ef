/** Releases of the checkout's own code, with another version, and broken where a test wants that; their packages are the checkout's. */
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemPrograms } from '../../src/host/run-program.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

export interface RealRelease {
  readonly version: string;
  /** What is replaced in which of its files. */
  readonly changes?: readonly { readonly file: string; readonly what: string; readonly by: string }[];
}

/** Has every release below `root` find the checkout's packages. */
export async function lendPackages(root: string): Promise<void> {
  await symlink(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'));
}

/** Writes such a release into a folder below a root that packages were lent to: what `stage-release.sh` makes, without Node and packages. */
export async function writeRealRelease(folder: string, { version, changes = [] }: RealRelease): Promise<void> {
  const app = join(folder, 'app');
  await mkdir(join(folder, 'bin'), { recursive: true });
  await mkdir(app, { recursive: true });
  await writeFile(join(folder, 'bin', 'node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  await chmod(join(folder, 'bin', 'node'), 0o755);
  await cp(join(CHECKOUT, 'src'), join(app, 'src'), { recursive: true });
  const manifest = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as object;
  await writeFile(join(app, 'package.json'), JSON.stringify({ ...manifest, version }));
  for (const { file, what, by } of changes) {
    const path = join(app, 'src', file);
    const text = await readFile(path, 'utf8');
    if (!text.includes(what)) throw new Error(`${file} has changed: it does not hold ${JSON.stringify(what)} any more`);
    await writeFile(
      path,
      text.replace(what, () => by),
    );
  }
  // As its own code says it.
  const asks = `import(${JSON.stringify(join(app, 'src', 'upgrade', 'release-facts.ts'))}).then(({ factsOfCode }) => console.log(JSON.stringify(factsOfCode)))`;
  const { code, out, err } = await systemPrograms.run(join(folder, 'bin', 'node'), ['--eval', asks]);
  if (code !== 0) throw new Error(`release ${version} does not tell its facts: ${err}`);
  const facts = { name: 'ops-relay', version, builtAt: '2026-11-28T00:00:00.000Z', node: process.versions.node, ...(JSON.parse(out) as object) };
  await writeFile(join(folder, 'release.json'), JSON.stringify(facts));
}
