import assert from 'node:assert/strict';
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-image-program.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const COMMITTED_AT = '1700000000';

suite('staging a release from a small checkout', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const at = (...names: readonly string[]): string => join(folder.path, ...names);
  const git = (...args: readonly string[]): void => {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.test', '-c', 'commit.gpgsign=false'];
    const { status, stderr } = runProgram('env', [`GIT_COMMITTER_DATE=${COMMITTED_AT} +0000`, 'git', '-C', at('checkout'), ...identity, ...args]);
    assert.equal(status, 0, stderr);
  };
  const stage = (...args: readonly string[]): { readonly code: number | null; readonly said: string } => {
    const { status, stderr } = runProgram('sh', [at('checkout', 'appliance', 'stage-release.sh'), ...args]);
    return { code: status, said: stderr };
  };

  before(async () => {
    folder = await temporaryFolder();
    const { dependencies } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as { dependencies: { node: string } };
    await mkdir(at('checkout', 'appliance'), { recursive: true });
    for (const name of ['stage-release.sh', 'node', 'redis.conf'])
      await cp(join(PROJECT, 'appliance', name), at('checkout', 'appliance', name), { recursive: true });
    // Of the packages only the one whose version names Node, and that one is not installed: nothing is fetched but Node itself.
    const project = { name: 'ops-relay', version: '9.8.7', type: 'module', optionalDependencies: {}, devDependencies: {}, engines: {} };
    await put('package.json', JSON.stringify({ ...project, config: { node: dependencies.node } }, null, 2));
    await put(
      'package-lock.json',
      JSON.stringify({ name: 'ops-relay', version: '9.8.7', lockfileVersion: 3, packages: { '': { name: 'ops-relay', version: '9.8.7' } } }),
    );
    await put(
      'src/upgrade/release-facts.ts',
      "export const factsOfCode: object = { followsFrom: '9.0.0', formats: { segment: { reads: [1], writes: 1 } } };\n",
    );
    await put('.gitignore', 'node_modules/\n');
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'a release');
  });
  after(() => folder[Symbol.asyncDispose]());

  async function put(path: string, content: string): Promise<void> {
    await mkdir(dirname(at('checkout', path)), { recursive: true });
    await writeFile(at('checkout', path), content);
  }

  test('gives Node, our code and what the code says of itself, every file of the commit’s time', async () => {
    const { code, said } = stage(at('release'));
    assert.equal(code, 0, said);
    const release = JSON.parse(await readFile(at('release', 'release.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(
      { version: release['version'], builtAt: release['builtAt'], followsFrom: release['followsFrom'] },
      { version: '9.8.7', builtAt: '2023-11-14T22:13:20.000Z', followsFrom: '9.0.0' },
    );
    assert.equal(runProgram(at('release', 'bin', 'node'), ['--version']).stdout.trim(), `v${String(release['node'])}`);
    for (const file of ['bin/node', 'app/package.json', 'app/appliance/redis.conf', 'app/src/upgrade/release-facts.ts', 'release.json']) {
      assert.equal((await stat(at('release', file))).mtimeMs, Number(COMMITTED_AT) * 1000, file);
    }
  });

  test('gives the same again', () => {
    assert.equal(stage(at('again')).code, 0);
    const { status, stdout } = runProgram('diff', ['--recursive', at('release'), at('again')]);
    assert.equal(status, 0, stdout);
  });

  test('refuses a folder that holds something', () => {
    const { code, said } = stage(at('release'));
    assert.equal(code, 1);
    assert.match(said, /is not empty/);
  });

  test('refuses uncommitted changes by name, and takes them along only when told', async () => {
    await put('src/new.ts', 'export {};\n');
    const refused = stage(at('refused'));
    assert.equal(refused.code, 1);
    assert.match(refused.said, /src\//);
    const taken = stage('--dirty', at('taken'));
    assert.equal(taken.code, 0, taken.said);
    assert.ok((await stat(at('taken', 'app', 'src', 'new.ts'))).isFile());
    assert.match(await readFile(at('taken', 'release.json'), 'utf8'), /and uncommitted changes/);
  });
});
