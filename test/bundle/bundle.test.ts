import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { packArchive, saveArchive } from '../../src/bundle/archive.ts';
import { bundleOf } from '../../src/bundle/bundle.ts';
import { gatherParts } from '../../src/bundle/gather-parts.ts';
import { secretFilesOf } from '../../src/bundle/known-secrets.ts';
import type { Gathered, Part } from '../../src/bundle/part.ts';
import { type Configuration, configurationSchema } from '../../src/configuration/schema.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LIMITS = { ms: 1_000, bytes: 1_000 };
const same = (text: string): string => text;

function part(file: string, gather: (signal: AbortSignal) => Promise<Gathered>, rest: Partial<Part> = {}): Part {
  return { file, what: `what ${file} is`, gather, ...rest };
}

describe('gathering', () => {
  it('leaves out a part that throws, at once or later, or has nothing, and says why', async () => {
    const parts = [
      part('good', async () => ({ text: 'well\n', note: 'from here' })),
      part('throws', () => {
        throw new Error('out of order');
      }),
      part('rejects', () => Promise.reject(Object.assign(new Error('no room'), { code: 'ENOSPC' }))),
      part('empty', async () => ({ leftOut: 'there is none' })),
    ];
    const { files, leftOut } = await gatherParts(parts, same, LIMITS);
    assert.deepEqual(files, [{ file: 'good', what: 'what good is', text: 'well\n', bytes: 5, note: 'from here' }]);
    assert.deepEqual(
      leftOut.map(({ file, reason }) => [file, reason]),
      [
        ['throws', 'out of order (unknown)'],
        ['rejects', 'no room (ENOSPC)'],
        ['empty', 'there is none'],
      ],
    );
  });

  it('waits for a part that hangs no longer than it may take, and tells it to stop', async () => {
    let told: AbortSignal | undefined;
    const hangs = part(
      'hangs',
      (signal) => {
        told = signal;
        return new Promise<Gathered>(() => {});
      },
      { limitMs: 20 },
    );
    const { files, leftOut } = await gatherParts([hangs, part('good', async () => ({ text: 'x' }))], same, LIMITS);
    assert.deepEqual([files.length, leftOut[0]?.reason, told?.aborted], [1, 'no answer within 0.02 s', true]);
  });

  it('cuts what is too long at a line, at the end that matters less, and says so', async () => {
    const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`).join('\n');
    const { files } = await gatherParts(
      [part('first', async () => ({ text: lines })), part('last', async () => ({ text: lines }), { keeps: 'end' })],
      same,
      LIMITS,
    );
    const [first, last] = files;
    assert.match(first?.text ?? '', /^line 0\n[\s\S]*\nline \d+\n$/);
    assert.match(last?.text ?? '', /^line \d+\n[\s\S]*\nline 299$/);
    assert.ok(files.every(({ bytes }) => bytes <= LIMITS.bytes && bytes > LIMITS.bytes - 20));
    assert.match(last?.note ?? '', /^of \d+ bytes only the end$/);
  });

  it('takes secrets out before it cuts, so that none is cut in two', async () => {
    const secret = 'S'.repeat(50);
    const text = secret.repeat(20_000);
    for (const keeps of ['beginning', 'end'] as const) {
      const scrub = (found: string): string => found.replaceAll(secret, '[secret]');
      const { files } = await gatherParts([part('long', async () => ({ text }), { keeps })], scrub, LIMITS);
      assert.match(files[0]?.text ?? '', /^[^S]*$/);
    }
  });
});

describe('a bundle', () => {
  const site = { version: '1.2.3', now: () => Date.parse('2026-11-23T01:02:03Z') };
  const parts = [part('one.txt', async () => ({ text: 'hunter2hunter2\n' })), part('two.txt', async () => ({ leftOut: 'hunter2hunter2 did not work' }))];

  it('tells what is in it and what is not, and holds no secret in any place', async () => {
    const { manifest, files, leftOut } = await bundleOf(parts, site, { secrets: ['hunter2hunter2'], unread: ['/etc/relay/other.key'] });
    assert.match(manifest, /^Support bundle of relay 1\.2\.3 on .*, made 2026-11-23T01:02:03\.000Z\./);
    assert.match(manifest, /\none\.txt +9 B +what one\.txt is\n/);
    assert.match(manifest, /\ntwo\.txt +\[secret\] did not work\n/);
    assert.match(manifest, /could not be read.*\n\/etc\/relay\/other\.key\n$/);
    assert.ok(!JSON.stringify([manifest, files, leftOut]).includes('hunter2'));
  });

  it('is one folder in an archive that tar opens', async () => {
    await using folder = await temporaryFolder();
    const bundle = await bundleOf(parts, site, { secrets: [], unread: [] });
    assert.match(bundle.name, /^relay-support-[\w.-]+-20261123T010203Z\.tar\.gz$/);
    const path = join(folder.path, bundle.name);
    await saveArchive(path, await bundle.pack());
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await promisify(execFile)('tar', ['xzf', path, '-C', folder.path]);
    const unpacked = path.slice(0, -'.tar.gz'.length);
    assert.equal(await readFile(join(unpacked, 'MANIFEST.txt'), 'utf8'), bundle.manifest);
    assert.equal(await readFile(join(unpacked, 'one.txt'), 'utf8'), 'hunter2hunter2\n');
    assert.equal((await stat(join(unpacked, 'one.txt'))).mode & 0o777, 0o600);
  });

  it('is never written over another file', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'there.tar.gz');
    await writeFile(path, 'mine');
    await assert.rejects(saveArchive(path, await packArchive('f', [], 0)), {
      code: 'relay.bundle.cannot-write',
      message: /There is a file of that name already/,
    });
    assert.equal(await readFile(path, 'utf8'), 'mine');
  });
});

describe('the files of secrets', () => {
  it('are all that options name as such', () => {
    const configuration = configurationSchema.parse({
      cache: { redis: { passwordFile: '/s/redis' }, keyFile: '/s/ring' },
      workspaces: [
        {
          id: '11111111-1111-4111-8111-111111111111',
          sharedKeyFile: '/s/shared',
          path: { kind: 'proxy', proxy: { host: 'p', user: 'u', passwordFile: '/s/proxy' } },
        },
      ],
    }) as Configuration;
    assert.deepEqual(
      secretFilesOf(configuration)
        .filter((path) => path.startsWith('/s/'))
        .sort(),
      ['/s/proxy', '/s/redis', '/s/ring', '/s/shared'],
    );
  });
});
