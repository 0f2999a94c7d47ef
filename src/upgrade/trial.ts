/**
 * Carries out an upgrade on trial: stop, snapshot, turn the links, start, watch; then keep the new release, or put the old one back. It may be killed
 * at any moment, and is begun again by systemd, after a power cut too. What was changed before the new release ran is undone then; a new release that
 * was being watched is watched once more, and taken back if that does not reach its end either.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { syncFolder } from '../files.ts';
import type { Places } from '../host/places.ts';
import type { Judgement } from './health-rule.ts';
import { pointAt, removeLink, removeOtherReleases } from './release-folders.ts';
import { partsToPutBack, putSnapshotBack, takeSnapshot } from './snapshot.ts';
import { type Ending, endTrial, readTrial, type Trial, type TrialOutcome, type TrialRelease, trialPlaces, writeTrial } from './trial-file.ts';
import { type WatchParts, watchRelease } from './watch-release.ts';

/** A release that brings the machine down while it is watched is not watched for ever. */
const MOST_WATCHES = 2;
/** The old release is waited for longer: there is nothing else to go to. */
const OLD_WITHIN_MS = 10 * 60_000;

export interface TrialParts extends WatchParts {
  readonly places: Places;
  /** Says each step before it is done. */
  readonly tell: (step: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Carries the trial on to its end, from wherever it is; undefined when there is none. Rejects only when not even the way back could be gone: to be called again then. */
export async function carryOutTrial(parts: TrialParts): Promise<TrialOutcome | undefined> {
  const trial = await readTrial(parts.places);
  return trial && (await carryOn(trial, parts));
}

async function carryOn(trial: Trial, parts: TrialParts): Promise<TrialOutcome> {
  switch (trial.phase) {
    case 'prepared':
      return await change(trial, parts);
    case 'changing':
      return trial.hasWayBack ? await takeBack(trial, 'the change to it was interrupted', parts) : await change(trial, parts);
    case 'watching':
      if (trial.watches < MOST_WATCHES) return await watch(trial, parts);
      return await refuse(trial, `it was watched ${trial.watches} times, and each time that was interrupted`, parts);
    case 'settled':
      return await keep(trial, parts);
    case 'returning':
    case 'restoring':
    case 'restored':
      return await takeBack(trial, trial.why ?? 'it was interrupted', parts);
  }
}

async function change(prepared: Trial, parts: TrialParts): Promise<TrialOutcome> {
  const { places, service, tell } = parts;
  const { state, from, to, putBack } = prepared;
  const { snapshotOf, snapshots } = trialPlaces(places);
  let trial = prepared;
  try {
    tell(`upgrade from ${from.version} to ${to.version}`);
    // One of an earlier trial must not be taken for this one's.
    await rm(snapshotOf(from.version), { recursive: true, force: true });
    if (await exists(snapshots)) await syncFolder(snapshots);
    trial = await enter(trial, { phase: 'changing' }, parts);
    tell('stopping the relay');
    await service.stop();
    tell('taking the snapshot');
    await takeSnapshot(state, snapshotOf(from.version));
    if (putBack.length > 0) {
      tell(`putting back what ${to.version} had: ${putBack.join(', ')}`);
      await putSnapshotBack(snapshotOf(to.version), state, putBack);
    }
    tell('turning the links');
    await pointAt(places.previous, folderOf(from, places));
    tell(`current leads to ${to.version}`);
    await pointAt(places.current, folderOf(to, places));
  } catch (error) {
    return await takeBack(trial, messageOf(error), parts);
  }
  return await watch(trial, parts);
}

async function watch(before: Trial, parts: TrialParts): Promise<TrialOutcome> {
  parts.tell(`${before.to.version} is on trial`);
  const trial = await enter(before, { phase: 'watching', watches: before.watches + 1 }, parts);
  parts.tell(`starting ${trial.to.version}, and watching it`);
  const judgement = await watchOne(trial.to, trial, trial.withinMs, parts);
  if (judgement.verdict === 'well') return await keep(trial, parts);
  return await refuse(trial, judgement.why, parts);
}

function watchOne({ version }: TrialRelease, trial: Trial, withinMs: number, parts: TrialParts): Promise<Exclude<Judgement, { verdict: 'waiting' }>> {
  const { reasonsBefore, steadyMs, socket } = trial;
  return watchRelease({ version, reasonsBefore, withinMs, steadyMs }, socket, parts);
}

async function keep(before: Trial, parts: TrialParts): Promise<TrialOutcome> {
  const { places, tell } = parts;
  const trial = await enter(before, { phase: 'settled' }, parts);
  const { from, to } = trial;
  tell(`${to.version} is well and stays`);
  await removeOtherReleases(places, [from.version, to.version]);
  await removeOtherSnapshots(places, from.version);
  tell('the trial ends');
  return await end(trial, 'kept', parts);
}

async function refuse(trial: Trial, why: string, parts: TrialParts): Promise<TrialOutcome> {
  parts.tell(`${trial.to.version} is not well: ${why}`);
  const lastLines = await parts.service.lastLines().catch(() => undefined);
  if (trial.hasWayBack) return await takeBack({ ...trial, lastLines }, why, parts);
  return await end({ ...trial, why, lastLines }, 'no-way-back', parts);
}

// Each step may be done again; what is put back of the state is decided once, and written down before it is begun.
async function takeBack(before: Trial, why: string, parts: TrialParts): Promise<TrialOutcome> {
  const { places, tell } = parts;
  const { from, previousBefore } = before;
  const isBegun = ['returning', 'restoring', 'restored'].includes(before.phase);
  const begun = isBegun ? before : await enter(before, { phase: 'returning', why }, parts);
  tell(`taking it back: ${why}`);
  await stop(parts);
  // Before anything is put back: a boot in between must not start the newer release on it, which would change it again.
  tell(`current leads to ${from.version} again`);
  await pointAt(places.current, folderOf(from, places));
  const trial = await restore(begun, parts);
  tell('previous leads where it led before');
  if (previousBefore === undefined) await removeLink(places.previous);
  else await pointAt(places.previous, join(places.releases, previousBefore));
  tell(`starting ${from.version}`);
  const judgement = await watchOne(from, trial, Math.max(trial.withinMs, OLD_WITHIN_MS), parts);
  if (judgement.verdict === 'well') return await end(trial, 'taken-back', parts);
  return await end({ ...trial, why: `${trial.why ?? why}; and ${from.version}, put back, is not well: ${judgement.why}` }, 'taken-back-unwell', parts);
}

async function stop({ service, tell }: TrialParts): Promise<void> {
  tell('stopping the relay');
  try {
    await service.stop();
  } catch (error) {
    if (await service.isActive()) throw error;
  }
}

async function restore(before: Trial, parts: TrialParts): Promise<Trial> {
  if (before.phase === 'restored') return before;
  const { state, from } = before;
  const snapshot = trialPlaces(parts.places).snapshotOf(from.version);
  let trial = before;
  if (trial.phase !== 'restoring' && (await exists(snapshot))) trial = await enter(trial, { phase: 'restoring', restores: await partsOf(trial) }, parts);
  if (trial.phase === 'restoring') {
    parts.tell(trial.restores.length === 0 ? 'the state needs nothing put back' : `putting back ${trial.restores.join(', ')}`);
    await putSnapshotBack(snapshot, state, trial.restores);
    parts.tell('what had to be put back is');
  }
  return await enter(trial, { phase: 'restored' }, parts);
}

async function partsOf({ state, from, to, putBack }: Trial): Promise<Trial['restores']> {
  return [...new Set([...putBack, ...(await partsToPutBack(state, from.formats, to.formats))])];
}

async function enter(trial: Trial, change: Partial<Trial>, { places }: TrialParts): Promise<Trial> {
  const next = { ...trial, ...change };
  await writeTrial(places, next);
  return next;
}

async function end({ from, to, why, lastLines }: Trial, ending: Ending, { places, now, tell }: TrialParts): Promise<TrialOutcome> {
  const outcome: TrialOutcome = {
    ending,
    from: from.version,
    to: to.version,
    at: new Date(now()).toISOString(),
    ...(ending === 'kept' ? {} : { why, lastLines }),
  };
  tell(`the upgrade has ended: ${ending}`);
  await endTrial(places, outcome);
  return outcome;
}

async function removeOtherSnapshots(places: Places, version: string): Promise<void> {
  const { snapshots } = trialPlaces(places);
  const names = await readdir(snapshots).catch(() => []);
  for (const name of names) if (name !== version) await rm(join(snapshots, name), { recursive: true, force: true });
}

function folderOf({ version }: TrialRelease, { releases }: Places): string {
  return join(releases, version);
}

async function exists(path: string): Promise<boolean> {
  return await readdir(path).then(
    () => true,
    () => false,
  );
}
