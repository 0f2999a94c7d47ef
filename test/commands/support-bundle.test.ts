import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Output } from '../../src/commands/output.ts';
import { type BundlePerson, supportBundleCommand } from '../../src/commands/support-bundle.ts';
import { createControlRig } from '../control/rig.ts';

interface Person extends BundlePerson {
  readonly shown: string[];
  readonly asked: string[];
}

function personWho(answer: boolean): Person {
  const [shown, asked]: [string[], string[]] = [[], []];
  const confirm = async (question: string): Promise<boolean> => {
    asked.push(question);
    return answer;
  };
  return { isThere: true, shown, asked, show: (text) => void shown.push(text), confirm };
}

async function run(person: Person, ...words: string[]): Promise<string> {
  const lines: string[] = [];
  const outputFor = (json: boolean): Output => ({ json, line: (text) => void lines.push(text) });
  await supportBundleCommand({}, outputFor, person).parseAsync(words, { from: 'user' });
  return lines.join('\n');
}

describe('relay support-bundle', () => {
  it('shows what it has gathered and asks; after a no nothing is written or entered', async () => {
    await using rig = await createControlRig();
    const person = personWho(false);
    const out = join(rig.folder, 'bundle.tar.gz');
    // Without a usable configuration: the relay is found by its socket, and what needs the configuration is left out.
    const words = ['--config', join(rig.folder, 'none.yaml'), '--socket', rig.socket, '--out', out];
    await assert.rejects(run(person, ...words), { exitCode: 1, message: 'Nothing was written.' });
    assert.deepEqual(person.asked, [`Write it to ${out}?`]);
    assert.match(person.shown[0] ?? '', /^FILE +SIZE +WHAT\n[\s\S]*\nmetrics\.txt +\d+ B[\s\S]*\nLEFT OUT +WHY\ndoctor\.txt +the configuration cannot be used/);
    await assert.rejects(stat(out), { code: 'ENOENT' });
    assert.deepEqual(rig.entries, []);

    const said = personWho(true);
    assert.match(await run(said, ...words), /bundle\.tar\.gz \(\d+ bytes\)$/);
    assert.deepEqual(
      rig.entries.map(({ action, result, detail }) => [action, result, /^\d+ files, \d+ bytes$/.test(detail ?? '')]),
      [['support-bundle.create', 'done', true]],
    );
  });

  it('asks nobody with --yes, and does not write over a file', async () => {
    await using rig = await createControlRig();
    const person = personWho(false);
    const out = join(rig.folder, 'bundle.tar.gz');
    await writeFile(out, 'mine');
    await assert.rejects(run(person, '--yes', '--socket', rig.socket, '--out', out), { exitCode: 2, message: /already/ });
    assert.deepEqual([person.asked, person.shown], [[], []]);
  });
});
