/** `npm run release:bundle`: a signed bundle for `relay upgrade`, of the commit that is checked out. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/errors.ts';
import { roughSize } from '../../src/rough.ts';
import { keyIdOf } from '../../src/upgrade/signatures.ts';
import { packBundle } from './pack-bundle.ts';
import { readPrivateKey } from './private-key.ts';

const USAGE = `usage: npm run release:bundle -- --key <pem> [--key <pem> …] [--passphrase-file <file>] [--out <file>] [--staged <folder>] [--dirty]

  --key <pem>               private key that signs; several sign one after another, so that a new key can follow an old one
  --passphrase-file <file>  the passphrase of these keys, on the file's first line
  --out <file>              the bundle; relay-<version>.bundle in this folder unless given
  --staged <folder>         a release made by appliance/stage-release.sh, in place of a new one
  --dirty                   take uncommitted changes along (for development)`;
const STAGE = fileURLToPath(new URL('../stage-release.sh', import.meta.url));

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      key: { type: 'string', multiple: true, default: [] },
      'passphrase-file': { type: 'string' },
      out: { type: 'string' },
      staged: { type: 'string' },
      dirty: { type: 'boolean', default: false },
    },
  });
  if (values.key.length === 0) throw new Error(USAGE);
  const keys = await Promise.all(values.key.map((path) => readPrivateKey(path, values['passphrase-file'])));
  const work = await mkdtemp(join(tmpdir(), 'relay-release-'));
  try {
    const folder = values.staged ?? join(work, 'release');
    if (values.staged === undefined) execFileSync('sh', [STAGE, ...(values.dirty ? ['--dirty'] : []), folder], { stdio: ['ignore', 'inherit', 'inherit'] });
    const draft = join(work, 'bundle');
    const { release } = await packBundle(folder, keys, draft);
    const out = resolve(values.out ?? `relay-${release.version}.bundle`);
    execFileSync('cp', [draft, out]);
    process.stdout.write(`${out}: release ${release.version}, ${roughSize((await stat(out)).size)}, signed by ${keys.map(keyIdOf).join(', ')}\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
