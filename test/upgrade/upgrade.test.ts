import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it, test } from 'node:test';
import { RelayError } from '../../src/errors.ts';
import type { Programs } from '../../src/host/run-program.ts';
import { verifyBundle } from '../../src/upgrade/bundle-file.ts';
import type { Formats } from '../../src/upgrade/facts-schema.ts';
import { mustHaveRoom } from '../../src/upgrade/install-release.ts';
import { relayStatus } from '../../src/upgrade/relay-status.ts';
import { releaseAt } from '../../src/upgrade/release-folders.ts';
import { readReleaseKeys } from '../../src/upgrade/signatures.ts';
import { readOutcome, readTrial, trialPlaces } from '../../src/upgrade/trial-file.ts';
import { prepareReturn, prepareUpgrade, type UpgradeParts, type UpgradeRequest } from '../../src/upgrade/upgrade.ts';
import { type Appliance, applianceAt } from '../support/appliance.ts';
import { judgeAt } from '../support/judging.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { alterBundle, craftBundle } from './crafted-bundle.ts';
import { formatsWithLayout, MAKER, STRANGER, smallBundle, withSmallRelease, writeSmallRelease } from './small-release.ts';

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
let machines = 0;

async function smallAppliance(): Promise<Appliance> {
  machines += 1;
  const appliance = applianceAt(join(folder.path, `m${machines}`));
  await withSmallRelease(appliance);
  return appliance;
}

const PATIENCE = { withinMs: 2_000, steadyMs: 500 };

function partsOf(appliance: Appliance, said: string[] = [], programs: Programs = appliance.programs): UpgradeParts {
  return { ...appliance, programs, status: relayStatus, tell: (sentence) => void said.push(sentence) };
}

function request(bundle: string, more: Partial<UpgradeRequest> = {}): UpgradeRequest {
  return { ...PATIENCE, bundle, allowDowngrade: false, acceptsNoWayBack: false, ...more };
}

/** Everything that an upgrade could touch, as it is: names, links, contents, and the relay's process. */
async function everythingOf({ root, places, pidOf }: Appliance): Promise<Record<string, string>> {
  const found: Record<string, string> = { pid: String(await pidOf('relay')) };
  for (const top of ['opt', 'etc', 'var/lib/relay-upgrade', 'srv']) {
    for (const entry of await readdir(join(root, top), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) found[path] = await readlink(path);
      else if (entry.isFile()) found[path] = (await readFile(path)).toString('base64');
      else found[path] = entry.isDirectory() ? 'folder' : 'other';
    }
  }
  assert.ok(found[join(places.releases, '0.1.0', 'release.json')]);
  return found;
}

/** The refusal of an upgrade; fails when anything was touched. */
async function refused(appliance: Appliance, work: () => Promise<unknown>): Promise<string> {
  const before = await everythingOf(appliance);
  const error = await work().then(
    () => assert.fail('it was begun'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RelayError, String(error));
  assert.deepEqual(await everythingOf(appliance), before);
  return `${error.code}: ${error.message}`;
}

test('a signed release is verified, tried, installed beside the one that runs, and put on trial; nothing that runs is touched', async () => {
  await using appliance = await smallAppliance();
  const { places, pidOf, socket } = appliance;
  const pid = await pidOf('relay');
  const said: string[] = [];
  const trial = await prepareUpgrade(request(await smallBundle(folder.path, { version: '0.2.0' })), partsOf(appliance, said));
  assert.deepEqual([trial.phase, trial.from.version, trial.to.version, trial.hasWayBack, trial.socket], ['prepared', '0.1.0', '0.2.0', true, socket]);
  assert.match(said.join('\n'), /0\.2\.0.* signed by key [0-9a-f]{16} .*maker\.pem[\s\S]*can use this configuration/);
  assert.deepEqual(await readTrial(places), JSON.parse(JSON.stringify(trial)));
  assert.deepEqual([await releaseAt(places.current), await releaseAt(places.previous), await pidOf('relay')], ['0.1.0', undefined, pid]);
  assert.equal(await releaseAt(trialPlaces(places).judge), '0.1.0', 'the release that has run well judges');
  assert.match(
    await refused(appliance, async () => prepareUpgrade(request('another.bundle'), partsOf(appliance))),
    /relay\.upgrade\.busy.*0\.1\.0 to 0\.2\.0 is still on trial/,
  );
});

test('an upgrade is refused, and nothing touched, for each of these reasons', async (t) => {
  await using appliance = await smallAppliance();
  const { places } = appliance;
  const formats = formatsWithLayout(3);
  const good = await smallBundle(join(folder.path, 'good'), { version: '0.2.0' });
  const at = (name: string): string => join(folder.path, name);
  const small = (name: string, rest: Parameters<typeof smallBundle>[1], keys = [MAKER.privateKey]): Promise<string> => smallBundle(at(name), rest, keys);
  const segment2: Formats = { ...formats, segment: { reads: [1, 2], writes: 2 } };

  const cases: readonly [string, () => Promise<string>, RegExp, Partial<UpgradeRequest>?][] = [
    [
      'a byte of its payload is changed',
      () => alterBundle(good, at('a1'), ([a, b, c]) => [a, b, flipped(c)].filter((one) => one !== undefined)),
      /not the one that was signed/,
    ],
    [
      'a byte of its manifest is changed',
      () => alterBundle(good, at('a2'), ([a, b, c]) => [flipped(a), b, c].filter((one) => one !== undefined)),
      /changed after it was signed/,
    ],
    [
      'a byte of its signature is changed',
      () => alterBundle(good, at('a3'), ([a, b, c]) => [a, flipped(b), c].filter((one) => one !== undefined)),
      /not-trusted/,
    ],
    ['it is cut short', () => cut(good, at('a4'), 4_000), /cut short/],
    ['a stranger signed it', () => small('strange', { version: '0.2.0' }, [STRANGER.privateKey]), /not-trusted/],
    ['its payload leads out', () => craftBundle(at('a5'), [{ name: 'release.json' }, { name: '../../../../x', content: 'x' }]), /none of a release/],
    [
      'its payload holds a link',
      () =>
        craftBundle(at('a6'), [
          { name: 'release.json', content: '{}' },
          { name: 'app/x', type: 'symlink', linkname: '/etc' },
        ]),
      /is a symlink/,
    ],
    ['it is older', () => small('older', { version: '0.0.9' }), /0\.0\.9 is older than 0\.1\.0.*--roll-back.*--allow-downgrade/],
    ['it runs already', () => small('same', { version: '0.1.0' }), /0\.1\.0 runs already/, { allowDowngrade: true }],
    ['it cannot follow this one', () => small('far', { version: '9.0.0', followsFrom: '0.2.0' }), /can follow 0\.2\.0 or later, and 0\.1\.0 runs/],
    [
      'it could not read the cache',
      () => small('blind', { version: '0.2.0', formats: { ...formats, segment: { reads: [2], writes: 2 } } }),
      /segment: 1 may be on disk, it reads 2/,
    ],
    [
      'there would be no way back',
      () => small('one-way', { version: '0.2.0', formats: segment2 }),
      /no way back to 0\.1\.0.*segment: it writes 2.*--no-way-back/,
    ],
    [
      'it says something else of itself than its manifest',
      () => craftBundle(at('a7'), [{ name: 'release.json', content: '{}' }]),
      /does not tell which release is there/,
    ],
    ['it does not run', () => small('other-version', { version: '0.2.0', program: 'process.exit(3)' }), /ended with 3/],
    ['it is another version than it says', () => small('liar', { version: '0.2.0', program: "console.log('0.3.0')" }), /asked for its version.*0\.3\.0/],
    [
      'it cannot use the configuration',
      () =>
        small('strict', {
          version: '0.2.0',
          program: "if (process.argv[2] === 'config') { console.error('intake.port: unknown'); process.exit(2); } console.log('0.2.0');",
        }),
      /cannot use this configuration: intake\.port: unknown/,
    ],
  ];
  for (const [why, make, message, more] of cases) {
    await t.test(why, async () => {
      const bundle = await make();
      assert.match(await refused(appliance, () => prepareUpgrade(request(bundle, more), partsOf(appliance))), message);
    });
  }

  await t.test('this machine trusts no key', async () => {
    const key = join(places.releaseKeys, 'maker.pem');
    const pem = await readFile(key);
    for (const [content, mode] of [
      ['no key', 0o644],
      [pem, 0o666],
      [MAKER.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o644],
      [rsaKey(), 0o644],
    ] as const) {
      await writeFile(key, content);
      await chmod(key, mode);
      const said: string[] = [];
      assert.match(await refused(appliance, () => prepareUpgrade(request(good), partsOf(appliance, said))), /trusts no release key/);
      assert.match(said.join(), /maker\.pem is not used: /);
    }
    await rm(key);
    assert.match(await refused(appliance, () => prepareUpgrade(request(good), partsOf(appliance))), /trusts no release key/);
    // The release that runs may bring keys as well.
    await mkdir(join(places.current, 'app', 'appliance', 'release-keys'), { recursive: true });
    await writeFile(join(places.current, 'app', 'appliance', 'release-keys', 'maker.pem'), pem);
    assert.match(await refused(appliance, () => prepareUpgrade(request(at('nothing')), partsOf(appliance))), /cannot be opened/);
  });

  await t.test('it could not be written to stable storage', async () => {
    const programs: Programs = {
      run: async (program, args, options) =>
        program === 'sync' ? { code: 1, out: '', err: 'Input/output error' } : await appliance.programs.run(program, args, options),
    };
    assert.match(await refused(appliance, () => prepareUpgrade(request(good), partsOf(appliance, [], programs))), /Input\/output error/);
  });

  await t.test('its disk has no room for it', async () => {
    const huge = await craftBundle(at('a8'), [{ name: 'release.json' }], { says: { unpackedBytes: 4 * 1024 ** 3, files: 100_000 } });
    // A file system without any room.
    const bundle = await verifyBundle(huge, await readReleaseKeys([join(places.current, 'app', 'appliance', 'release-keys')], () => {}));
    assert.match(await refused(appliance, () => mustHaveRoom(bundle, { releases: '/proc' })), /no-room: \/proc has 0 B free/);
  });

  await t.test('this machine is no appliance', async () => {
    await rm(places.marker);
    assert.match(await refused(appliance, () => prepareUpgrade(request(good), partsOf(appliance))), /no appliance/);
  });
});

describe('going back by hand', () => {
  it('to the release before is a trial as well, judged by the older one', async () => {
    await using appliance = await smallAppliance();
    const { places, socket } = appliance;
    assert.match(await refused(appliance, () => prepareReturn({ ...PATIENCE, withSnapshot: false }, partsOf(appliance))), /no release ran before/);
    await prepareUpgrade(request(await smallBundle(join(folder.path, 'b1'), { version: '0.2.0' })), partsOf(appliance));
    await judgeAt(appliance.root);
    await prepareReturn({ ...PATIENCE, withSnapshot: false }, partsOf(appliance));
    assert.equal(await releaseAt(trialPlaces(places).judge), '0.1.0');
    await judgeAt(appliance.root);
    assert.deepEqual([(await readOutcome(places))?.ending, (await relayStatus(socket))?.version], ['kept', '0.1.0']);
    assert.equal(await releaseAt(places.previous), '0.2.0');
  });

  it('over a newer database needs the snapshot from before, and says what that costs', async () => {
    await using appliance = await smallAppliance();
    const { places, socket } = appliance;
    await prepareUpgrade(request(await smallBundle(join(folder.path, 'b2'), { version: '0.2.0', layout: 4 })), partsOf(appliance));
    await judgeAt(appliance.root);
    assert.equal((await relayStatus(socket))?.version, '0.2.0');
    assert.match(
      await refused(appliance, () => prepareReturn({ ...PATIENCE, withSnapshot: false }, partsOf(appliance))),
      /managementGroup: 4 may be on disk.*as they were then.*--with-snapshot/,
    );
    await prepareReturn({ ...PATIENCE, withSnapshot: true }, partsOf(appliance));
    await judgeAt(appliance.root);
    assert.deepEqual([(await readOutcome(places))?.ending, (await relayStatus(socket))?.version], ['kept', '0.1.0']);
  });

  it('to one that is not well leaves the newer one with its own database', async () => {
    await using appliance = await smallAppliance();
    const { places, socket } = appliance;
    await prepareUpgrade(request(await smallBundle(join(folder.path, 'b3'), { version: '0.2.0', layout: 4 })), partsOf(appliance));
    await judgeAt(appliance.root);
    await rm(join(places.releases, '0.1.0'), { recursive: true });
    await writeSmallRelease(join(places.releases, '0.1.0'), { version: '0.1.0', behaviour: 'ends at its start' });
    await prepareReturn({ ...PATIENCE, withSnapshot: true }, partsOf(appliance));
    await judgeAt(appliance.root);
    assert.deepEqual([(await readOutcome(places))?.ending, (await relayStatus(socket))?.version], ['taken-back', '0.2.0']);
  });
});

test('without a way back a release that is not well stays, as was said beforehand', async () => {
  await using appliance = await smallAppliance();
  const formats: Formats = { ...formatsWithLayout(3), segment: { reads: [1, 2], writes: 2 } };
  const bundle = await smallBundle(join(folder.path, 'b4'), { version: '0.2.0', formats, behaviour: 'is not ready' });
  await prepareUpgrade(request(bundle, { acceptsNoWayBack: true }), partsOf(appliance));
  await judgeAt(appliance.root);
  assert.equal((await readOutcome(appliance.places))?.ending, 'no-way-back');
  assert.deepEqual([await releaseAt(appliance.places.current), (await relayStatus(appliance.socket))?.version], ['0.2.0', '0.2.0']);
});

async function cut(from: string, to: string, bytes: number): Promise<string> {
  await writeFile(to, (await readFile(from)).subarray(0, bytes));
  return to;
}

function flipped<T extends { readonly content: Buffer }>(entry: T | undefined): T | undefined {
  if (!entry) return undefined;
  const content = Buffer.from(entry.content);
  const at = Math.floor(content.length / 2);
  content[at] = (content[at] ?? 0) ^ 1;
  return { ...entry, content };
}

function rsaKey(): string {
  return String(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }));
}
