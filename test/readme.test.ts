import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { referenceTable } from '../src/configuration/reference.ts';
import { withGeneratedTables } from './support/generated-tables.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

describe('README', () => {
  it('has the option table that "relay config reference" prints', () => {
    const between = /<!-- options:begin -->\n+([\s\S]*?)\n+<!-- options:end -->/.exec(readme)?.[1];
    assert.equal(between?.trim(), referenceTable().trim());
  });

  it('has tables of options, metrics and error replies as the code has them (npm run reference writes them)', () => {
    assert.equal(readme, withGeneratedTables(readme));
  });
});
