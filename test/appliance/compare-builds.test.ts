import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-image-program.ts';

const SCRIPT = fileURLToPath(new URL('../../appliance/compare-builds.sh', import.meta.url));
const BUILD = { 'packages.tsv': 'bash\t5.2\n', 'files.sha256': 'file\t0644\t0:0\tabc\t/etc/passwd\n', 'sbom.cdx.json': '{}\n', 'relay.qcow2': 'bytes' };

async function compare(one: Partial<typeof BUILD>, other: Partial<typeof BUILD>): Promise<{ readonly code: number | null; readonly out: string }> {
  await using folder = await temporaryFolder();
  for (const [name, files] of Object.entries({ one, other })) {
    await mkdir(join(folder.path, name));
    for (const [file, content] of Object.entries(files)) await writeFile(join(folder.path, name, file), content);
  }
  const { status, stdout, stderr } = runProgram('sh', [SCRIPT, join(folder.path, 'one'), join(folder.path, 'other')]);
  return { code: status, out: stdout + stderr };
}

test('two builds with the same packages and files are the same', async () => {
  const { code, out } = await compare(BUILD, BUILD);
  assert.equal(code, 0, out);
  assert.match(out, /relay\.qcow2: the same, byte for byte/);
});

test('a file with other content is told, with both sides', async () => {
  const { code, out } = await compare(BUILD, { ...BUILD, 'files.sha256': 'file\t0644\t0:0\tdef\t/etc/passwd\n' });
  assert.equal(code, 1);
  assert.match(out, /- file\t0644\t0:0\tabc\t\/etc\/passwd\n {2}\+ file\t0644\t0:0\tdef/);
});

test('another version of a package is told', async () => {
  const { code, out } = await compare(BUILD, { ...BUILD, 'packages.tsv': 'bash\t5.3\n' });
  assert.equal(code, 1);
  assert.match(out, /- bash\t5\.2\n {2}\+ bash\t5\.3/);
});

test('a folder that is no build is refused', async () => {
  const { code, out } = await compare(BUILD, {});
  assert.equal(code, 2);
  assert.match(out, /has no packages\.tsv/);
});
