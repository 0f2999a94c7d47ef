import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url);
const DASHBOARDS = new URL('grafana/dashboards/', ROOT);
const PATHS: Readonly<Record<string, string>> = { 'state-timeline': 'statetimeline' };

/** A program that the compiler takes only when the dashboards are what Grafana's schema says, and each panel's options and drawing what its type takes. */
function programOf(dashboards: Readonly<Record<string, { readonly panels: readonly Written[] }>>): string {
  const panels = Object.values(dashboards).flatMap((one) => one.panels);
  const types = [...new Set(panels.map(({ type }) => type))];
  return [
    `import type { Dashboard } from '@grafana/schema';`,
    `import type { Plain } from './plain.ts';`,
    ...types.map((type) => `import type * as ${nameOf(type)} from './panels/${nameOf(type)}.d.ts';`),
    'type Frozen<Type> = Type extends object ? { readonly [Key in keyof Type]: Frozen<Type[Key]> } : Type;',
    ...Object.values(dashboards).map(
      (dashboard, index) => `const d${index} = ${JSON.stringify(dashboard)} as const;\nd${index} satisfies Frozen<Plain<Partial<Dashboard>>>;`,
    ),
    ...panels.flatMap(({ type, options, fieldConfig }) => [
      `(${JSON.stringify(options)}) satisfies Plain<Partial<${nameOf(type)}.Options>>;`,
      ...(hasFieldConfig(type) ? [`(${JSON.stringify(fieldConfig?.defaults?.custom ?? {})}) satisfies Plain<Partial<${nameOf(type)}.FieldConfig>>;`] : []),
    ]),
    'export {};',
  ].join('\n');
}

interface Written {
  readonly type: string;
  readonly options?: object;
  readonly fieldConfig?: { readonly defaults?: { readonly custom?: object } };
}

const nameOf = (type: string): string => PATHS[type] ?? type;
const hasFieldConfig = (type: string): boolean => !['stat', 'gauge', 'bargauge'].includes(type);

function written(): Record<string, { panels: Written[] }> {
  const names = readdirSync(DASHBOARDS).sort();
  return Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(new URL(name, DASHBOARDS), 'utf8')) as { panels: Written[] }]));
}

/** What the compiler says of the program; empty when it takes it. */
async function complaints(program: string): Promise<string> {
  await using folder = await temporaryFolder();
  const modules = fileURLToPath(new URL('node_modules', ROOT));
  await symlink(modules, join(folder.path, 'node_modules'));
  await mkdir(join(folder.path, 'panels'));
  for (const type of ['stat', 'gauge', 'bargauge', 'heatmap', 'table', 'timeseries', 'statetimeline']) {
    const declared = join(modules, '@grafana/schema/dist/types/raw/composable', type, 'panelcfg/x/types.gen.d.ts');
    await writeFile(join(folder.path, 'panels', `${type}.d.ts`), readFileSync(declared, 'utf8'));
  }
  await writeFile(join(folder.path, 'plain.ts'), readFileSync(new URL('grafana/source/plain.ts', ROOT), 'utf8'));
  await writeFile(join(folder.path, 'dashboards.ts'), program);
  await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }');
  const { compilerOptions } = JSON.parse(readFileSync(new URL('tsconfig.json', ROOT), 'utf8')) as { compilerOptions: object };
  const settings = { compilerOptions: { ...compilerOptions, types: [], isolatedDeclarations: false, declaration: false }, files: ['dashboards.ts'] };
  await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(settings));
  return await run(join(modules, '.bin/tsc'), ['--project', folder.path]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

describe('dashboard files', () => {
  it('are dashboards by Grafana’s schema, and their panels’ options are those of their types', async () => {
    assert.equal(await complaints(programOf(written())), '');
  });

  it('would not be taken with a wrong value, or with an option that a panel does not have', async () => {
    const dashboards = written();
    const text = JSON.stringify(dashboards)
      .replace('"graphMode":"none"', '"graphMode":"nothing"')
      .replace('"rowHeight":', '"rowHeigth":')
      .replace('"mode":"absolute"', '"mode":"absolut"');
    const said = await complaints(programOf(JSON.parse(text) as typeof dashboards));
    for (const wrong of ['nothing', 'rowHeigth', 'absolut']) assert.match(said, new RegExp(`["']${wrong}["']`));
  });
});
