import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { configCommand } from '../../src/commands/config.ts';
import { EXIT, exitCodeOf } from '../../src/commands/output.ts';
import { optionReference, referenceTable } from '../../src/configuration/reference.ts';
import { RelayError } from '../../src/errors.ts';
import { createConfigurationFile } from './configuration-file.ts';

async function run(...words: string[]): Promise<string> {
  const lines: string[] = [];
  await configCommand({}, (json) => ({ json, line: (text) => void lines.push(text) })).parseAsync(words, { from: 'user' });
  return lines.join('\n');
}

describe('relay config', () => {
  it('check says that a good file is good', async () => {
    await using file = await createConfigurationFile('retry: { every: 1m }');
    assert.equal(await run('check', '--config', file.path), `${file.path} is good.`);
  });

  it('check ends with the exit code for a wrong configuration, and every problem on a line', async () => {
    await using file = await createConfigurationFile('retry: { every: 1, windw: 2h }');
    await assert.rejects(run('check', '--config', file.path), (thrown) => {
      assert.ok(thrown instanceof RelayError);
      assert.equal(exitCodeOf(thrown), EXIT.usage);
      assert.equal(thrown.message.split('\n').length, 3);
      return true;
    });
  });

  it('show prints what is in use so that it can be loaded again', async () => {
    await using file = await createConfigurationFile('retry: { every: 90s }\ndata: kept');
    const shown = await run('show', '--config', file.path);
    assert.match(shown, /^ {2}every: 1m30s$/m);
    assert.match(shown, /^ {2}segmentSize: 64MiB$/m);
    assert.deepEqual(JSON.parse(await run('show', '--json', '--config', file.path)), parse(shown));

    await using again = await createConfigurationFile(shown);
    assert.equal(await run('show', '--config', again.path), shown);
  });

  it('reference prints the table, or its rows as JSON', async () => {
    assert.equal(await run('reference'), referenceTable());
    assert.deepEqual(JSON.parse(await run('reference', '--json')), optionReference());
  });

  it('reference writes the table between the markers of a file, and keeps its mode', async () => {
    await using file = await createConfigurationFile('');
    const readme = join(file.folder, 'README.md');
    await writeFile(readme, '# Relay\n<!-- options:begin -->\n<!-- options:end -->\n');
    await chmod(readme, 0o640);
    await run('reference', '--write', readme);
    assert.equal(await readFile(readme, 'utf8'), `# Relay\n<!-- options:begin -->\n\n${referenceTable()}\n\n<!-- options:end -->\n`);
    assert.equal((await stat(readme)).mode & 0o777, 0o640);
  });
});
