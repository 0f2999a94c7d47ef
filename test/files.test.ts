import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtempDisposable, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { makePrivateFolder, readFileIfAny, readSecretFile, syncFolder, writeFileAtomic } from '../src/files.ts';

const temporaryFolder = () => mkdtempDisposable(join(tmpdir(), 'relay-files-'));
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('makePrivateFolder', () => {
  it('makes the folder and its parents for their owner only', async () => {
    await using folder = await temporaryFolder();
    await makePrivateFolder(join(folder.path, 'a/b/c'));
    await makePrivateFolder(join(relative(process.cwd(), folder.path), 'a/d/../e'));
    for (const path of ['a', 'a/b', 'a/b/c', 'a/e']) assert.equal(await modeOf(join(folder.path, path)), 0o700);
  });

  it('leaves one that exists as it is', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a');
    await mkdir(path, { mode: 0o750 });
    await makePrivateFolder(path);
    await makePrivateFolder(join(path, 'b'));
    await makePrivateFolder(join(path, 'b'));
    assert.equal(await modeOf(path), 0o750);
  });

  it('says that a file is in the way', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'a'), '');
    await assert.rejects(makePrivateFolder(join(folder.path, 'a')), { code: 'EEXIST' });
  });
});

describe('writeFileAtomic', () => {
  it('writes text and bytes for the owner only, or with the mode given', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a');
    await writeFileAtomic(path, 'grün');
    assert.equal(await readFile(path, 'utf8'), 'grün');
    assert.equal(await modeOf(path), 0o600);
    await writeFileAtomic(path, Buffer.from([0, 255]), 0o640);
    assert.deepEqual(await readFile(path), Buffer.from([0, 255]));
    assert.equal(await modeOf(path), 0o640);
  });

  it('leaves the old content and no draft when the new one cannot be put in its place', async () => {
    await using folder = await temporaryFolder();
    // A folder that is not empty cannot be replaced by a file: the last step fails.
    const path = join(folder.path, 'a');
    await mkdir(path);
    await writeFile(join(path, 'old'), 'old');
    await assert.rejects(writeFileAtomic(path, 'new'));
    assert.deepEqual(await readdir(folder.path), ['a']);
    assert.equal(await readFile(join(path, 'old'), 'utf8'), 'old');
  });

  it('leaves the old content when writing the new one fails', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a');
    await writeFileAtomic(path, 'old');
    await assert.rejects(writeFileAtomic(path, 7 as unknown as string));
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder.path), ['a']);
  });

  it('shows a reader the old content or the new, never a part', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a');
    const contents = ['a', 'b'].map((letter) => letter.repeat(1_000_000));
    await writeFileAtomic(path, contents[0] ?? '');
    const seen = new Set<string>();
    for (let round = 1; round <= 10; round += 1) {
      const written = writeFileAtomic(path, contents[round % 2] ?? '').then(() => true);
      while (!(await Promise.race([written, readFile(path, 'utf8').then((text) => void seen.add(text))])));
    }
    assert.ok(seen.size >= 1);
    for (const text of seen) assert.ok(contents.includes(text));
  });

  it('keeps writers at the same moment apart', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a');
    const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    assert.ok(contents.includes(await readFile(path, 'utf8')));
    assert.deepEqual(await readdir(folder.path), ['a']);
  });

  it('replaces a link instead of writing through it', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'target'), 'old');
    await symlink(join(folder.path, 'target'), join(folder.path, 'link'));
    await writeFileAtomic(join(folder.path, 'link'), 'new');
    assert.equal(await readFile(join(folder.path, 'target'), 'utf8'), 'old');
    assert.equal(await readFile(join(folder.path, 'link'), 'utf8'), 'new');
  });
});

describe('syncFolder', () => {
  it('fails for a folder that is not there', async () => {
    await using folder = await temporaryFolder();
    await syncFolder(folder.path);
    await assert.rejects(syncFolder(join(folder.path, 'none')), { code: 'ENOENT' });
  });
});

describe('readFileIfAny', () => {
  it('reads a file, is undefined for none, and passes on anything else', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'a'), 'x');
    assert.equal((await readFileIfAny(join(folder.path, 'a')))?.toString(), 'x');
    assert.equal(await readFileIfAny(join(folder.path, 'b')), undefined);
    await assert.rejects(readFileIfAny(folder.path), { code: 'EISDIR' });
  });
});

describe('readSecretFile', () => {
  it('reads the secret without the white space at its end, and does not warn of a private file', async () => {
    await using folder = await temporaryFolder();
    const warnings: string[] = [];
    await writeFileAtomic(join(folder.path, 'a'), ' secret\r\n');
    assert.equal(await readSecretFile(join(folder.path, 'a'), (message) => warnings.push(message)), ' secret');
    assert.deepEqual(warnings, []);
  });

  it('warns when others may read it, with the command that helps and without the secret', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a');
    await writeFile(path, 'secret');
    for (const mode of [0o644, 0o640, 0o604, 0o620]) {
      const warnings: string[] = [];
      await chmod(path, mode);
      assert.equal(await readSecretFile(path, (message) => warnings.push(message)), 'secret');
      assert.deepEqual(warnings, [`${path} holds a secret but others may read it (mode 0${mode.toString(8)}): chmod 600 ${path}`]);
    }
  });

  it('refuses a file that is not there, or no file, and says what to check', async () => {
    await using folder = await temporaryFolder();
    const refusal = { code: 'relay.secret.unreadable', message: /cannot be read\. Check that it exists and that this user may read it\./ };
    await assert.rejects(
      readSecretFile(join(folder.path, 'none'), () => {}),
      refusal,
    );
    await chmod(folder.path, 0o700);
    await assert.rejects(
      readSecretFile(folder.path, () => {}),
      refusal,
    );
  });
});
