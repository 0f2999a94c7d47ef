import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { packBundle } from '../../appliance/release/pack-bundle.ts';
import { RelayError } from '../../src/errors.ts';
import { readBundle, verifyBundle } from '../../src/upgrade/bundle-file.ts';
import { keyIdOf, type ReleaseKey } from '../../src/upgrade/signatures.ts';
import { unpackRelease } from '../../src/upgrade/unpack-release.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { alterBundle, type CraftedEntry, type Crafting, craftBundle } from './crafted-bundle.ts';
import { MAKER, STRANGER, smallBundle } from './small-release.ts';

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const at = (name: string): string => join(folder.path, name);
const TRUSTED: readonly ReleaseKey[] = [{ id: keyIdOf(MAKER.publicKey), key: createPublicKey(MAKER.privateKey), path: 'maker.pem' }];
const GOOD = await smallBundle(folder.path, { version: '0.2.0' });
let targets = 0;

/** Unpacks a bundle into a new folder; its path. */
async function unpack(bundle: string): Promise<string> {
  targets += 1;
  const target = at(`unpacked-${targets}`);
  await readBundle(bundle, TRUSTED, (payload, manifest) => unpackRelease(payload, target, manifest.payload));
  return target;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RelayError, String(error));
  assert.match(error.message, /Nothing was changed/);
  return `${error.code}: ${error.message}`;
}

describe('a bundle', () => {
  it('is verified by the key that signed it, and unpacks to the files that were packed, with their modes', async () => {
    const { manifest, key } = await verifyBundle(GOOD, TRUSTED);
    assert.deepEqual([manifest.release.version, key.path], ['0.2.0', 'maker.pem']);
    const target = await unpack(GOOD);
    assert.deepEqual((await readdir(target, { recursive: true })).sort(), [
      'app',
      'app/package.json',
      'app/src',
      'app/src/main.ts',
      'bin',
      'bin/node',
      'release.json',
    ]);
    for (const [name, mode] of [
      ['bin/node', 0o755],
      ['app/src/main.ts', 0o644],
    ] as const) {
      assert.equal((await stat(join(target, name))).mode & 0o7777, mode, name);
      assert.deepEqual(await readFile(join(target, name)), await readFile(at(`0.2.0-works/${name}`)));
    }
  });

  it('is the same bytes when it is made again', async () => {
    await packBundle(at('0.2.0-works'), [MAKER.privateKey], at('again.bundle'));
    assert.deepEqual(await readFile(at('again.bundle')), await readFile(GOOD));
  });

  it('signed by an old key and a new one is taken by whoever trusts either', async () => {
    await packBundle(at('0.2.0-works'), [STRANGER.privateKey, MAKER.privateKey], at('both.bundle'));
    assert.equal((await verifyBundle(at('both.bundle'), TRUSTED)).key.path, 'maker.pem');
  });
});

describe('a bundle is refused', () => {
  it('with any one of its bytes changed, wherever that is', async () => {
    const bytes = await readFile(GOOD);
    const { manifest } = await verifyBundle(GOOD, TRUSTED);
    // Bytes of a tar header that mean nothing, and what fills a block, may differ; what is in the entries may not.
    const manifestAt = 512;
    const signatureAt = bytes.indexOf('"signature": "') + 20;
    const payloadAt = bytes.indexOf('payload.tar.gz') + 512;
    const places = [manifestAt, manifestAt + 40, bytes.indexOf('0.2.0'), signatureAt, payloadAt, payloadAt + 9, payloadAt + manifest.payload.bytes - 1];
    for (const place of places) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      await writeFile(at('changed.bundle'), changed);
      assert.match(await refusal(verifyBundle(at('changed.bundle'), TRUSTED)), /not-trusted|bad-bundle/, `byte ${place}`);
    }
  });

  it('cut short, anywhere', async () => {
    const { size } = await stat(GOOD);
    for (const bytes of [0, 1, 511, 512, 700, 2_000, Math.floor(size / 2), size - 1_025, size - 1_500]) {
      await writeFile(at('short.bundle'), await readFile(GOOD));
      await truncate(at('short.bundle'), bytes);
      await refusal(verifyBundle(at('short.bundle'), TRUSTED));
    }
  });

  it('signed by a key that nobody here trusts, naming both', async () => {
    const path = await smallBundle(at('strange'), { version: '0.2.0' }, [STRANGER.privateKey]);
    const message = await refusal(verifyBundle(path, TRUSTED));
    assert.match(message, /not-trusted/);
    for (const { publicKey } of [MAKER, STRANGER]) assert.ok(message.includes(keyIdOf(publicKey)));
  });

  it("with a stranger's signature under the name of a trusted key", async () => {
    const path = await alterBundle(GOOD, at('false-name.bundle'), ([manifest, signatures, payload]) => {
      assert.ok(manifest && signatures && payload);
      const { signatures: list } = JSON.parse(signatures.content.toString()) as { signatures: { key: string; signature: string }[] };
      const forged = { signatures: list.map(({ key }) => ({ key, signature: Buffer.alloc(64, 1).toString('base64') })) };
      return [manifest, { ...signatures, content: JSON.stringify(forged) }, payload];
    });
    assert.match(await refusal(verifyBundle(path, TRUSTED)), /signature by key [0-9a-f]{16} \(maker\.pem\) is wrong/);
  });

  const orders: readonly [string, (entries: { name: string; content: Buffer }[]) => CraftedEntry[], RegExp][] = [
    [
      'whose payload comes before its manifest',
      ([a, b, c]) => [c, a, b].filter((one) => one !== undefined),
      /payload\.tar\.gz" \(file\) where manifest\.json should be/,
    ],
    ['with something behind its payload', (all) => [...all, { name: 'more', content: 'x' }], /"more" \(file\) where its end should be/],
    ['with two payloads', ([a, b, c]) => [a, b, c, c].filter((one) => one !== undefined), /where its end should be/],
    ['without signatures', ([a, , c]) => [a, c].filter((one) => one !== undefined), /where manifest\.sig should be/],
    ['without a payload', (all) => all.slice(0, 2), /no whole bundle/],
    [
      'whose manifest is a link',
      ([, b, c]) => [{ name: 'manifest.json', type: 'symlink', linkname: '/etc/passwd' }, b, c].filter((one) => one !== undefined) as CraftedEntry[],
      /symlink/,
    ],
    [
      'with a manifest of a megabyte',
      ([, b, c]) => [{ name: 'manifest.json', content: Buffer.alloc(1024 ** 2) }, b, c].filter((one) => one !== undefined),
      /cannot be read to its end/,
    ],
    ['with two manifests', ([a, b, c]) => [a, a, b, c].filter((one) => one !== undefined), /where manifest\.sig should be/],
  ];
  for (const [what, change, why] of orders) {
    it(what, async () => {
      assert.match(await refusal(verifyBundle(await alterBundle(GOOD, at('altered.bundle'), change), TRUSTED)), why);
    });
  }

  it('that is a folder, or not there', async () => {
    for (const path of [folder.path, at('nothing')]) await refusal(verifyBundle(path, TRUSTED));
  });
});

describe('a payload, rightly signed, is refused', () => {
  const release: CraftedEntry = { name: 'release.json', content: '{}' };
  const cases: readonly [string, readonly CraftedEntry[], RegExp, Crafting?][] = [
    ['with a name that leads out', [{ name: '../../etc/cron.d/x', content: 'x' }], /the name "\.\.\/\.\.\/etc\/cron\.d\/x" in it is none of a release/],
    ['with such a name in the middle', [{ name: 'app/../../x', content: 'x' }], /none of a release/],
    ['with an absolute name', [{ name: '/etc/passwd', content: 'x' }], /none of a release/],
    ['with a name that is none of a release', [{ name: 'etc/passwd', content: 'x' }], /none of a release/],
    ['with a name that a terminal would act on', [{ name: 'app/\u001b[2J', content: 'x' }], /none of a release/],
    [
      'with a link that leads out',
      [
        { name: 'app/x', type: 'symlink', linkname: '/etc' },
        { name: 'app/x/passwd', content: 'x' },
      ],
      /"app\/x" in it is a symlink/,
    ],
    ['with a link that stays inside', [release, { name: 'app/x', type: 'symlink', linkname: '../release.json' }], /is a symlink/],
    ['with a hard link', [release, { name: 'app/x', type: 'link', linkname: '/etc/shadow' }], /is a link/],
    ['with a device', [release, { name: 'app/x', type: 'character-device' }], /is a character-device/],
    ['with a pipe', [release, { name: 'app/x', type: 'fifo' }], /is a fifo/],
    ['with a program that would run as its owner', [{ name: 'bin/node', content: 'x', mode: 0o4755 }], /run as another user \(mode 4755\)/],
    ['with two files of one name', [release, release], /cannot be read to its end/],
    ['with more bytes than its manifest says', [{ name: 'app/x', content: 'xx' }], /holds more than its manifest says/, { says: { unpackedBytes: 1 } }],
    ['with more files than its manifest says', [release, { name: 'app/x', content: 'x' }], /holds more than its manifest says/, { says: { files: 1 } }],
    ['with less than its manifest says', [release], /0 files and 8 bytes fewer than its manifest says/, { says: { unpackedBytes: 10 } }],
    ['that is not the one that was signed', [release], /not the one that was signed/, { says: { sha256: 'a'.repeat(64) } }],
  ];
  for (const [what, entries, why, crafting] of cases) {
    it(what, async () => {
      const path = await craftBundle(at('crafted.bundle'), entries, crafting);
      assert.match(await refusal(unpack(path)), why);
    });
  }
});
