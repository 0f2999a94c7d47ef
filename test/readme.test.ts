import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { referenceTable } from '../src/configuration/reference.ts';
import { readSettings } from '../src/local-workspace/settings.ts';
import { withGeneratedTables } from './support/generated-tables.ts';

const ROOT = new URL('../', import.meta.url);
const readme = await readFile(new URL('README.md', ROOT), 'utf8');

const LOCAL = ['tables', 'keys', 'query/kql', 'retention', 'export', 'replica'].map((folder) => `src/local-workspace/${folder}/README.md`);
const PAGES = ['README.md', 'CHANGELOG.md', 'src/README.md', 'src/local-workspace/README.md', ...LOCAL];

/** Settings that have no default; of one kind of key, and one way to be told, the others' are not needed. */
const OPTIONAL = ['retention.days', 'hotFolder', 'export.target', 'replica.folder', 'privateStorage.folder', 'privateStorage.key.kind'];

describe('README', () => {
  it('has the option table that "relay config reference" prints', () => {
    const between = /<!-- options:begin -->\n+([\s\S]*?)\n+<!-- options:end -->/.exec(readme)?.[1];
    assert.equal(between?.trim(), referenceTable().trim());
  });

  it('has tables of options, metrics, error replies, rights and incidents as the code has them (npm run reference writes them)', () => {
    assert.equal(readme, withGeneratedTables(readme));
  });

  it('shows settings of the local workspace that can be used, and names every one of them with its default', () => {
    // Arrange
    const shown: unknown = parse(/### Settings\n[\s\S]*?```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');

    // Act
    const read = readSettings(shown);

    // Assert
    const [given] = Object.values((shown as { workspaces: Record<string, object> }).workspaces);
    const [filled] = Object.values(read.workspaces);
    const [least] = Object.values(
      readSettings({ workspaces: { '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f': { export: { target: '/mnt/exports' }, replica: { folder: '/mnt/second/relay' } } } })
        .workspaces,
    );
    assert.deepEqual(pathsOf(given), pathsOf(filled), 'every setting stands there');
    assert.deepEqual(
      OPTIONAL.filter((path) => !(path in pathsOf(given))),
      [],
    );
    const different = Object.entries(pathsOf(least)).filter(([path, value]) => pathsOf(given)[path] !== value);
    assert.deepEqual(different, [], 'each is the default');
    for (const name of Object.keys(readSettings({}).incidents)) assert.ok(name in (shown as { incidents: object }).incidents, name);
  });
});

for (const page of PAGES) {
  it(`${page} has links that lead somewhere: to a heading of its own, or to a file, and a heading there`, async () => {
    // Act
    const wrong: string[] = [];
    for (const link of linksIn(await textOf(page))) if (!(await leadsSomewhere(page, link))) wrong.push(link);

    // Assert
    assert.deepEqual(wrong, []);
  });
}

for (const folder of ['src', 'src/local-workspace']) {
  it(`${folder}/README.md has every folder in its map`, async () => {
    const page = await textOf(`${folder}/README.md`);
    const folders = (await readdir(new URL(folder, ROOT), { withFileTypes: true })).filter((entry) => entry.isDirectory());
    assert.deepEqual(
      folders.filter(({ name }) => !new RegExp(`^ +${name}/`, 'm').test(page)).map(({ name }) => name),
      [],
    );
  });
}

async function textOf(page: string): Promise<string> {
  return await readFile(new URL(page, ROOT), 'utf8');
}

/** Where the links of a text lead, but for those to other places on the net. */
function linksIn(text: string): string[] {
  const targets = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return targets.filter((target) => !target.startsWith('https://'));
}

async function leadsSomewhere(page: string, link: string): Promise<boolean> {
  const [file, anchor] = link.split('#');
  const place = new URL(file || page.slice(page.lastIndexOf('/') + 1), new URL(page, ROOT));
  const isThere = await stat(place).then(
    () => true,
    () => false,
  );
  return isThere && (anchor === undefined || anchorsIn(await readFile(place, 'utf8')).includes(anchor));
}

/** The anchors of a text's headings, as GitHub makes them. */
function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A tree's leaves by their paths, such as `export.tables`. */
function pathsOf(tree: unknown, path: readonly string[] = []): Readonly<Record<string, unknown>> {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return { [path.join('.')]: tree };
  return Object.assign({}, ...Object.entries(tree).map(([name, below]) => pathsOf(below, [...path, name])));
}
