import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { openFile } from '../../src/backup/age-file.ts';
import { FORMAT, readManifest, type Sum } from '../../src/backup/manifest.ts';
import { type OpenedMember, readArchive } from '../../src/backup/read-archive.ts';
import { readBack } from '../../src/backup/read-back.ts';
import { writeArchive } from '../../src/backup/write-archive.ts';
import { RelayError } from '../../src/errors.ts';
import { systemPrograms } from '../../src/host/run-program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type HostileMember, writeHostileArchive } from './hostile-archive.ts';
import { MADE_AT, PASSPHRASE, WORK_FACTOR } from './rig.ts';

const SEGMENT = 'state/cache/segments/a/Event-1.segment';
const hasAge = (await systemPrograms.run('age', ['--version'])).code === 0;
const MANIFEST: HostileMember = { name: 'manifest.json', text: '{}' };

/** An archive of three members, one of them larger than what age and gzip take at once. */
async function goodArchive(folder: string): Promise<{ path: string; sums: readonly Sum[]; segment: Buffer }> {
  const path = join(folder, 'good.age');
  const segment = randomBytes(700_000);
  await writeFile(join(folder, 'segment'), Buffer.concat([segment, Buffer.from('appended meanwhile')]));
  const members = [
    { name: 'manifest.json', content: Buffer.from('{}') },
    { name: 'state/routes.json', content: Buffer.from('{"version":1}') },
    { name: SEGMENT, content: { path: join(folder, 'segment'), bytes: segment.length } },
  ];
  const { sums } = await writeArchive(path, members, { passphrase: PASSPHRASE, at: MADE_AT, workFactor: WORK_FACTOR });
  return { path, sums, segment };
}

async function read(path: string, take: (member: OpenedMember) => void = () => {}): Promise<readonly Sum[]> {
  return await readArchive(await openFile(path, PASSPHRASE), take);
}

describe('an archive', () => {
  it('gives back the very bytes, of a file as many as were asked for, and their hashes', async () => {
    await using folder = await temporaryFolder();
    const { path, sums, segment } = await goodArchive(folder.path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const contents = new Map<string, Buffer>();
    const found = await readArchive(await openFile(path, PASSPHRASE), async ({ name, content }) => void contents.set(name, await buffer(content)));
    assert.deepEqual(contents.get(SEGMENT), segment);
    assert.deepEqual(contents.get('state/routes.json')?.toString(), '{"version":1}');
    assert.deepEqual([...found], sums.slice(0, -1));
    assert.equal(found.at(-1)?.sha256, createHash('sha256').update(segment).digest('hex'));
  });

  it('is opened by the age program, and checked by sha256sum, without Relay', { skip: hasAge ? false : 'the age program is not installed' }, async () => {
    await using folder = await temporaryFolder();
    const { path } = await goodArchive(folder.path);
    // age asks for the passphrase at a terminal only.
    const script = `age --decrypt ${path} | tar -xz && sha256sum --check --strict SHA256SUMS`;
    const { code: ended, out } = await systemPrograms.run('script', ['--quiet', '--return', '--command', `cd ${folder.path} && ${script}`, '/dev/null'], {
      input: `${PASSPHRASE}\n`,
    });
    assert.equal(ended, 0, out);
    assert.match(out, /manifest\.json: OK\s+state\/routes\.json: OK\s+state\/cache\/segments\/a\/Event-1\.segment: OK/);
  });

  it('is not opened by another passphrase', async () => {
    await using folder = await temporaryFolder();
    const { path } = await goodArchive(folder.path);
    const error = await openFile(path, 'another one altogether').then(
      () => assert.fail('it was opened'),
      (thrown: unknown) => thrown as RelayError,
    );
    assert.equal(error.code, 'relay.backup.wrong-passphrase');
    assert.ok(!error.message.includes('another one altogether'));
  });

  it('is refused when it was cut off anywhere', async () => {
    await using folder = await temporaryFolder();
    const { path } = await goodArchive(folder.path);
    const whole = await readFile(path);
    for (const length of [0, 10, 100, 160, 200, 65_536, 300_000, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length));
      await assert.rejects(read(path), { code: length < 160 ? 'relay.backup.not-a-backup' : 'relay.backup.damaged' }, `cut to ${length}`);
    }
  });

  it('is refused when one byte was changed, wherever it is', async () => {
    await using folder = await temporaryFolder();
    const { path } = await goodArchive(folder.path);
    const whole = await readFile(path);
    for (const at of [3, 60, 90, 150, 190, 5_000, 400_000, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(path, changed);
      await assert.rejects(read(path), (error: RelayError) => /^relay\.backup\.(?:damaged|not-a-backup|wrong-passphrase)$/.test(error.code), `byte ${at}`);
    }
  });

  it('is refused when something was put behind its end', async () => {
    await using folder = await temporaryFolder();
    const { path } = await goodArchive(folder.path);
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('more')]));
    await assert.rejects(read(path), { code: 'relay.backup.damaged' });
  });

  it('is told from any other file, however long its first line is', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'other');
    const others = [
      '',
      'PK\u0003\u0004',
      'age-encryption.org/v1\n-> X25519 abc\nabc\n--- abc\n',
      `age-encryption.org/v1\n-> scrypt ${'a'.repeat(1024 * 1024)}`,
    ];
    for (const other of others) {
      await writeFile(path, other);
      await assert.rejects(openFile(path, PASSPHRASE), { code: 'relay.backup.not-a-backup' });
    }
    await rm(path);
    await assert.rejects(openFile(path, PASSPHRASE), { code: 'relay.backup.unreadable' });
  });

  it('asks for no more work than a backup needs', async () => {
    await using folder = await temporaryFolder();
    const { path } = await goodArchive(folder.path);
    // scrypt with 2^30 rounds would take a terabyte.
    await writeFile(path, (await readFile(path, 'latin1')).replace(/(-> scrypt \S+) 4\n/, '$1 30\n'), 'latin1');
    await assert.rejects(openFile(path, PASSPHRASE), { code: 'relay.backup.not-a-backup' });
  });

  it('is read back against what went in: another content than was written is found, and so is another passphrase', async () => {
    await using folder = await temporaryFolder();
    const { path, sums } = await goodArchive(folder.path);
    await readBack(path, PASSPHRASE, sums);
    const other = sums.map((sum) => (sum.name === SEGMENT ? { ...sum, sha256: '0'.repeat(64) } : sum));
    await assert.rejects(readBack(path, PASSPHRASE, other), { code: 'relay.backup.cannot-write' });
    await assert.rejects(readBack(path, PASSPHRASE, sums.slice(1)), { code: 'relay.backup.cannot-write' });
    await assert.rejects(readBack(path, 'another one altogether', sums), { code: 'relay.backup.wrong-passphrase' });
  });

  it('that cannot be written is said so', async () => {
    await using folder = await temporaryFolder();
    const settings = { passphrase: PASSPHRASE, at: MADE_AT, workFactor: WORK_FACTOR };
    await assert.rejects(writeArchive(join(folder.path, 'none', 'x'), [], settings), { code: 'relay.backup.cannot-write' });
    const gone = { name: 'state/routes.json', content: { path: join(folder.path, 'gone'), bytes: 10 } };
    await assert.rejects(writeArchive(join(folder.path, 'x'), [gone], settings), { code: 'relay.backup.cannot-write' });
    await writeFile(join(folder.path, 'short'), 'short');
    const short = { name: 'state/routes.json', content: { path: join(folder.path, 'short'), bytes: 10 } };
    await assert.rejects(writeArchive(join(folder.path, 'y'), [short], settings), { code: 'relay.backup.cannot-write' });
  });
});

describe('an archive that another program made', () => {
  const refused: readonly (readonly [what: string, members: readonly HostileMember[], message: RegExp])[] = [
    ['leads out of the folder', [MANIFEST, { name: 'state/../../etc/cron.d/x', text: 'x' }], /no backup has a file of that name/],
    ['leads out of the folder by a name that begins well', [MANIFEST, { name: 'state/cache/../../x', text: 'x' }], /no backup has a file of that name/],
    ['has an absolute path', [MANIFEST, { name: '/etc/passwd', text: 'x' }], /no backup has a file of that name/],
    ['has a hidden name', [MANIFEST, { name: 'state/cache/.ssh', text: 'x' }], /no backup has a file of that name/],
    ['has a name that is none', [MANIFEST, { name: 'files/a\nb', text: 'x' }], /no backup has a file of that name/],
    ['has a file that no backup has', [MANIFEST, { name: 'state/authority/other.key', text: 'x' }], /no backup has a file of that name/],
    ['has a symbolic link', [MANIFEST, { name: 'state/routes.json', type: 'symlink', linkname: '/etc/passwd' }], /it is no file but a symlink/],
    ['has a hard link', [MANIFEST, { name: 'state/routes.json', type: 'link', linkname: 'manifest.json' }], /it is no file but a link/],
    ['has a folder', [MANIFEST, { name: 'state/cache/x', type: 'directory' }], /it is no file but a directory/],
    ['has a device', [MANIFEST, { name: 'state/cache/x', type: 'character-device' }], /it is no file but a character-device/],
    ['has a file twice', [MANIFEST, { name: 'state/routes.json', text: 'a' }, { name: 'state/routes.json', text: 'b' }], /it is there twice/],
    ['does not begin with its manifest', [{ name: 'state/routes.json', text: 'a' }, MANIFEST], /the first member is always manifest\.json/],
    [
      'goes on behind its list of hashes',
      [MANIFEST, { name: 'SHA256SUMS', text: `${'0'.repeat(64)}  manifest.json\n` }, { name: 'state/routes.json', text: 'a' }],
      /it stands behind SHA256SUMS/,
    ],
    ['has no list of hashes', [MANIFEST], /it has no SHA256SUMS/],
    ['has a list that is none', [MANIFEST, { name: 'SHA256SUMS', text: 'nothing' }], /SHA256SUMS cannot be read/],
    ['has another hash in its list', [MANIFEST, { name: 'SHA256SUMS', text: `${'0'.repeat(64)}  manifest.json\n` }], /manifest\.json is not as it was written/],
    [
      'lacks what its list names',
      [MANIFEST, { name: 'SHA256SUMS', text: sumsOf('{}', 'manifest.json') + sumsOf('', 'state/routes.json') }],
      /2 files belong into it and 1 are there/,
    ],
  ];
  for (const [what, members, message] of refused)
    it(`is refused when it ${what}`, async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, 'hostile.age');
      await writeHostileArchive(path, members);
      const taken: string[] = [];
      await assert.rejects(
        read(path, ({ name }) => void taken.push(name)),
        (error: RelayError) => /^relay\.backup\.(?:damaged|unexpected-member)$/.test(error.code) && message.test(error.message),
      );
      assert.ok(!taken.some((name) => /\.\.|^\/|other|ssh|\n/.test(name)), taken.join());
    });

  it('is refused at the first look when a file would fill the disk: nothing of it is unpacked', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'bomb.age');
    await writeHostileArchive(path, [MANIFEST, { name: 'state/routes.json', zeros: 256 * 1024 * 1024 }]);
    assert.ok((await stat(path)).size < 4 * 1024 * 1024);
    const taken: string[] = [];
    await assert.rejects(
      read(path, ({ name }) => void taken.push(name)),
      { code: 'relay.backup.unexpected-member', message: /it has 268435456 bytes, and 67108864 is the most it may have/ },
    );
    assert.deepEqual(taken, ['manifest.json']);
  });

  it('lets an error of whoever takes its members through as it is', async () => {
    await using folder = await temporaryFolder();
    const { path } = await goodArchive(folder.path);
    const own = new RelayError('relay.restore.cannot-write', 'full');
    await assert.rejects(
      read(path, () => {
        throw own;
      }),
      own,
    );
  });
});

describe('readManifest', () => {
  it('tells a newer release from a damaged file', () => {
    assert.throws(() => readManifest(JSON.stringify({ format: FORMAT + 1, release: '9.0.0' })), {
      code: 'relay.backup.newer-format',
      message: /newer release \(9\.0\.0, format 2; this one reads 1\)/,
    });
    for (const text of ['', '[]', 'null', '{"format":0}', '{"format":1}']) assert.throws(() => readManifest(text), { code: 'relay.backup.damaged' });
  });
});

function sumsOf(text: string, name: string): string {
  return `${createHash('sha256').update(text).digest('hex')}  ${name}\n`;
}
