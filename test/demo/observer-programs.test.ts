import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { installObserverPrograms } from '../../src/demo/observer-programs.ts';
import { readFileIfAny } from '../../src/files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('installObserverPrograms', () => {
  it('installs nothing where nothing is missing', async () => {
    await using folder = await temporaryFolder();
    const note = join(folder.path, 'note');
    await installObserverPrograms(['env'], await script(folder.path, `echo "$1" >${note}`));
    assert.equal(await readFileIfAny(note), undefined);
  });

  it('prepares the machine for what is missing', async () => {
    await using folder = await temporaryFolder();
    const program = join(folder.path, 'program');
    const installs = await script(folder.path, `printf '#!/bin/sh\\necho 1.0\\n' >${program}; chmod +x ${program}; test "$1" = --observe`);
    await installObserverPrograms(['env', program], installs);
  });

  it('says what is still missing, and how to get it', async () => {
    await using folder = await temporaryFolder();
    await assert.rejects(installObserverPrograms(['env', 'relay-no-such-program'], await script(folder.path, 'exit 1')), {
      code: 'relay.prometheus.missing',
      message: 'These programs are not installed: relay-no-such-program. Install them: apt-get install relay-no-such-program',
    });
  });
});

async function script(folder: string, text: string): Promise<string> {
  const path = join(folder, 'prepare.sh');
  await writeFile(path, `${text}\n`);
  await chmod(path, 0o755);
  return path;
}
