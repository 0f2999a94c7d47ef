import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import type { Programs } from '../../src/host/run-program.ts';
import { relayStatus } from '../../src/upgrade/relay-status.ts';
import { releaseAt } from '../../src/upgrade/release-folders.ts';
import { readOutcome, readTrial } from '../../src/upgrade/trial-file.ts';
import { prepareUpgrade } from '../../src/upgrade/upgrade.ts';
import { type Appliance, applianceAt } from '../support/appliance.ts';
import { eventually } from '../support/eventually.ts';
import { judgeAt } from '../support/judging.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type SmallRelease, smallBundle, withSmallRelease } from './small-release.ts';

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
let machines = 0;

const GOOD: SmallRelease = { version: '0.2.0', layout: 4 };
const BROKEN: SmallRelease = { version: '0.2.0', layout: 4, behaviour: 'is not ready' };
const bundles = new Map<SmallRelease, Promise<string>>();

function bundleOf(release: SmallRelease): Promise<string> {
  const made = bundles.get(release) ?? smallBundle(folder.path, release);
  bundles.set(release, made);
  return made;
}

// What the new release is asked before its trial, `upgrade.test.ts` shows with the real programs.
const programs: Programs = { run: async (program) => ({ code: 0, out: basename(dirname(dirname(program))).replace('.part', ''), err: '' }) };

/** An appliance that runs 0.1.0, with a trial prepared that nobody carries out yet. */
async function onTrial(release: SmallRelease): Promise<Appliance> {
  machines += 1;
  const appliance = applianceAt(join(folder.path, `m${machines}`));
  await withSmallRelease(appliance);
  await prepareUpgrade(
    { bundle: await bundleOf(release), allowDowngrade: false, acceptsNoWayBack: false, withinMs: 2_000, steadyMs: 500 },
    { ...appliance, programs, status: relayStatus, tell: () => {} },
  );
  return appliance;
}

/** Which releases wrote into the database, in order; and its layout. */
function databaseOf({ places }: Appliance): { readonly starts: readonly string[]; readonly layout: number } {
  using database = new DatabaseSync(join(places.state, 'management-group.sqlite'), { readOnly: true });
  const rows = database.prepare('SELECT version FROM starts').all() as { version: string }[];
  const { user_version: layout } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  return { starts: rows.map(({ version }) => version), layout };
}

async function mustRun(appliance: Appliance, version: string): Promise<void> {
  const { places, socket } = appliance;
  assert.equal(await releaseAt(places.current), version);
  await eventually(`${version} answers`, async () => (await relayStatus(socket))?.version === version);
  assert.equal(await readTrial(places), undefined, 'the trial is over');
  assert.deepEqual((await readdir(join(places.trial, '..'))).includes('judge'), false);
}

const AT_ONCE = { concurrency: 4 };

describe('a trial', AT_ONCE, () => {
  it('keeps a release that is well, and the one before beside it', async () => {
    await using appliance = await onTrial(GOOD);
    await judgeAt(appliance.root);
    await mustRun(appliance, '0.2.0');
    assert.equal((await readOutcome(appliance.places))?.ending, 'kept');
    assert.equal(await releaseAt(appliance.places.previous), '0.1.0');
    assert.deepEqual(databaseOf(appliance), { starts: ['0.1.0', '0.2.0'], layout: 4 });
  });

  const failures: readonly [SmallRelease['behaviour'], RegExp, RegExp][] = [
    ['ends at its start', /it ended at its start, 3 times/, /out of order/],
    ['does not answer', /it does not answer at its control socket/, /0\.2\.0 starts/],
    ['is not ready', /a reason that was not there before: Nothing works\./, /0\.2\.0 starts/],
    ['ends again and again', /service does not run|does not answer|ended at its start/, /0\.2\.0 starts/],
  ];
  for (const [behaviour, why, lastLines] of failures) {
    it(`takes a release back that ${behaviour}, says why, and puts the database back that it had changed`, async () => {
      await using appliance = await onTrial({ version: '0.2.0', layout: 4, behaviour: behaviour ?? 'works' });
      await judgeAt(appliance.root);
      await mustRun(appliance, '0.1.0');
      const outcome = await readOutcome(appliance.places);
      assert.equal(outcome?.ending, 'taken-back');
      assert.match(outcome.why ?? '', why);
      assert.match(outcome.lastLines ?? '', lastLines);
      assert.equal(await releaseAt(appliance.places.previous), undefined, 'there was none before');
      assert.deepEqual(databaseOf(appliance), { starts: ['0.1.0', '0.1.0'], layout: 3 });
    });
  }

  it('leaves a database as it is that the older release can read, and what was written meanwhile with it', async () => {
    await using appliance = await onTrial({ version: '0.2.0', behaviour: 'is not ready' });
    await judgeAt(appliance.root);
    await mustRun(appliance, '0.1.0');
    assert.deepEqual(databaseOf(appliance), { starts: ['0.1.0', '0.2.0', '0.1.0'], layout: 3 });
  });
});

/** What becomes of a trial that was killed just before each of its steps. */
const WELL = [
  ['upgrade from 0.1.0 to 0.2.0', 'kept'],
  ['stopping the relay', 'taken-back'],
  ['taking the snapshot', 'taken-back'],
  ['turning the links', 'taken-back'],
  ['current leads to 0.2.0', 'taken-back'],
  ['0.2.0 is on trial', 'taken-back'],
  ['starting 0.2.0, and watching it', 'kept'],
  ['0.2.0 is well and stays', 'kept'],
  ['the trial ends', 'kept'],
  ['the upgrade has ended: kept', 'kept'],
] as const;
/** One of each phase: the relay's own process goes on, or is away already. */
const KILLED_BEFORE = new Set<string>(['stopping the relay', 'starting 0.2.0, and watching it', 'the trial ends']);
/** The same of a release that is not well, from where it is started. */
const UNWELL_FROM = 5;
const UNWELL = [
  '0.2.0 is on trial',
  'starting 0.2.0, and watching it',
  '0.2.0 is not well',
  'taking it back',
  'stopping the relay',
  'current leads to 0.1.0 again',
  'putting back managementGroup',
  'what had to be put back is',
  'previous leads where it led before',
  'starting 0.1.0',
  'the upgrade has ended: taken-back',
];

describe('a trial that is killed', AT_ONCE, () => {
  for (const [at, [step, ending]] of WELL.entries()) {
    if (!KILLED_BEFORE.has(step)) continue;
    it(`before "${step}" is begun again and ends: ${ending}`, async () => {
      await using appliance = await onTrial(GOOD);
      await appliance.judgeUntil(at);
      assert.equal((await appliance.steps()).at(-1), step);
      await judgeAt(appliance.root);
      await mustRun(appliance, ending === 'kept' ? '0.2.0' : '0.1.0');
      assert.equal((await readOutcome(appliance.places))?.ending, ending);
      const { starts, layout } = databaseOf(appliance);
      assert.deepEqual([starts[0], layout], ['0.1.0', ending === 'kept' ? 4 : 3]);
    });
  }
});

for (const { release, steps, from } of [
  { release: GOOD, steps: WELL, from: 0 },
  { release: BROKEN, steps: UNWELL.map((step) => [step, 'taken-back'] as const), from: UNWELL_FROM },
]) {
  describe(`a trial of a release that ${release.behaviour ?? 'works'}, in which the power is cut`, AT_ONCE, () => {
    for (const [at, [step, ending]] of steps.entries()) {
      it(`before "${step}", ends at the next boot: ${ending}`, async () => {
        await using appliance = await onTrial(release);
        await appliance.judgeUntil(from + at);
        assert.ok((await appliance.steps()).at(-1)?.startsWith(step), (await appliance.steps()).at(-1));
        await appliance.cutPower();
        await appliance.boot();
        await judgeAt(appliance.root);
        await mustRun(appliance, ending === 'kept' ? '0.2.0' : '0.1.0');
        const { starts, layout } = databaseOf(appliance);
        assert.deepEqual([starts[0], layout], ['0.1.0', ending === 'kept' ? 4 : 3]);
      });
    }
  });
}

describe('a trial in which the power is cut', () => {
  it('in the middle of putting back puts back again, whatever it finds', async () => {
    await using appliance = await onTrial(BROKEN);
    await appliance.judgeUntil(UNWELL_FROM + UNWELL.indexOf('putting back managementGroup'));
    await appliance.cutPower();
    // The write-ahead log was removed, and what was left could be read by the older release, but is not whole.
    const path = join(appliance.places.state, 'management-group.sqlite');
    await Promise.all(['-wal', '-shm'].map((end) => rm(path + end, { force: true })));
    {
      using database = new DatabaseSync(path);
      database.exec('PRAGMA user_version = 3; DELETE FROM starts;');
    }
    await judgeAt(appliance.root);
    await mustRun(appliance, '0.1.0');
    assert.deepEqual(databaseOf(appliance), { starts: ['0.1.0', '0.1.0'], layout: 3 });
  });

  it('again and again while a release is watched takes it back', async () => {
    await using appliance = await onTrial(GOOD);
    const watching = WELL.findIndex(([step]) => step.startsWith('starting'));
    await appliance.judgeUntil(watching);
    // From then on a judge begins with the step before that.
    await appliance.judgeUntil(1);
    await judgeAt(appliance.root);
    await mustRun(appliance, '0.1.0');
    assert.match((await readOutcome(appliance.places))?.why ?? '', /watched 2 times/);
  });
});
