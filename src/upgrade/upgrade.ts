/** Everything before a trial: nothing that runs, and nothing that the relay keeps, is touched until all of it has passed. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfiguration } from '../configuration/load.ts';
import { RelayError } from '../errors.ts';
import type { Places } from '../host/places.ts';
import type { Programs } from '../host/run-program.ts';
import { verifyBundle } from './bundle-file.ts';
import { type Compatibility, compatibilityOf } from './compatibility.ts';
import type { ReleaseFacts } from './facts-schema.ts';
import type { Look } from './health-rule.ts';
import { installRelease, mustHaveRoom } from './install-release.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { TRIAL_UNIT } from './relay-service.ts';
import { factsOf, pointAt, releaseAt } from './release-folders.ts';
import { readReleaseKeys } from './signatures.ts';
import type { Part } from './snapshot.ts';
import { readTrial, type Trial, trialPlaces, writeTrial } from './trial-file.ts';
import { compareVersions } from './version-order.ts';

const STEADY_MS = 10_000;

export interface UpgradeParts {
  readonly places: Places;
  readonly programs: Programs;
  /** How the relay at this socket is; undefined when it does not answer. */
  readonly status: (socket: string) => Promise<Look['status']>;
  /** Says what was found, a sentence each. */
  readonly tell: (sentence: string) => void;
}

/** How a trial judges. Times in milliseconds. */
export interface Patience {
  readonly withinMs: number;
  /** Ten seconds unless given. */
  readonly steadyMs?: number | undefined;
}

export interface UpgradeRequest extends Patience {
  /** The bundle's file. */
  readonly bundle: string;
  readonly allowDowngrade: boolean;
  /** Go on even if the release that runs could not read what the new one writes. */
  readonly acceptsNoWayBack: boolean;
}

/** Verifies a bundle, installs its release beside the one that runs, and prepares its trial. Throws `relay.upgrade.…` with nothing changed. */
export async function prepareUpgrade(request: UpgradeRequest, parts: UpgradeParts): Promise<Trial> {
  return await oneAtATime(parts.places.releases, 'preparing an upgrade', async () => {
    const { places, programs, tell } = parts;
    const from = await running(places);
    const trusted = await readReleaseKeys([places.releaseKeys, join(places.current, 'app', 'appliance', 'release-keys')], tell);
    const bundle = await verifyBundle(request.bundle, trusted);
    const { release } = bundle.manifest;
    tell(
      `Release ${release.version}, built ${release.builtAt}, signed by key ${bundle.key.id} (${bundle.key.path}). Every byte of the bundle is as it was signed.`,
    );
    mustFollow(from, release, request.allowDowngrade);
    const compatibility = compatibilityOf(from.formats, release.formats, compareVersions(release.version, from.version) < 0);
    mustRead(release, [...compatibility.unreadable, ...compatibility.newer]);
    mustHaveWayBack(compatibility, request.acceptsNoWayBack, from);
    await mustHaveRoom(bundle, places);
    await installRelease(request.bundle, trusted, places, programs);
    tell(`It is in ${join(places.releases, release.version)}, runs on this machine, and can use this configuration.`);
    return await prepareTrial({ from, to: release, judge: from, hasWayBack: compatibility.oneWay.length === 0, putBack: [] }, request, parts);
  });
}

export interface ReturnRequest extends Patience {
  /** Also put back what the older release cannot read, as it was when that release ran. */
  readonly withSnapshot: boolean;
}

/** Prepares a trial of the release that ran before. Throws `relay.upgrade.…` with nothing changed. */
export async function prepareReturn(request: ReturnRequest, parts: UpgradeParts): Promise<Trial> {
  return await oneAtATime(parts.places.releases, 'preparing an upgrade', async () => {
    const { places } = parts;
    const from = await running(places);
    const version = await releaseAt(places.previous);
    if (version === undefined) throw refused('no release ran before this one on this machine, so there is none to go back to');
    const to = await factsOf(join(places.releases, version));
    const compatibility = compatibilityOf(from.formats, to.formats, true);
    mustRead(to, compatibility.unreadable);
    const putBack = compatibility.newerParts;
    if (putBack.length > 0) await mustHaveSnapshot(to, compatibility, request.withSnapshot, places);
    // The older one has run well before; whether the newer one does is the question.
    return await prepareTrial({ from, to, judge: to, hasWayBack: compatibility.oneWay.length === 0, putBack }, request, parts);
  });
}

interface Plan {
  readonly from: ReleaseFacts;
  readonly to: ReleaseFacts;
  /** The one that judges: it must have run well. */
  readonly judge: ReleaseFacts;
  readonly hasWayBack: boolean;
  readonly putBack: readonly Part[];
}

// The file last: with it the trial exists, and whoever finds it there carries it out.
async function prepareTrial({ from, to, judge, hasWayBack, putBack }: Plan, { withinMs, steadyMs = STEADY_MS }: Patience, parts: UpgradeParts): Promise<Trial> {
  const { places, status, tell } = parts;
  const { control, data } = await loadConfiguration({ file: places.configuration, env: {} });
  const before = await status(control.socket);
  if (!before) tell('The relay does not answer at this moment. The new release must nevertheless.');
  const trial: Trial = {
    phase: 'prepared',
    from: { version: from.version, formats: from.formats },
    to: { version: to.version, formats: to.formats },
    previousBefore: await releaseAt(places.previous),
    hasWayBack,
    putBack,
    restores: [],
    state: data,
    socket: control.socket,
    reasonsBefore: before?.reasons ?? [],
    withinMs,
    steadyMs,
    watches: 0,
  };
  await writeJudge(places, judge);
  await writeTrial(places, trial);
  return trial;
}

async function writeJudge(places: Places, { version }: ReleaseFacts): Promise<void> {
  await pointAt(trialPlaces(places).judge, join(places.releases, version));
}

/** The release that runs, on a machine where one can be upgraded and none is on trial. */
async function running(places: Places): Promise<ReleaseFacts> {
  if (!(await exists(places.marker)))
    throw refused('this machine is no appliance, so relay upgrade does not know how the relay came here. Upgrade it the way it was installed');
  const trial = await readTrial(places);
  if (trial) {
    throw new RelayError(
      'relay.upgrade.busy',
      `The upgrade from ${trial.from.version} to ${trial.to.version} is still on trial. Follow it with: relay upgrade --status. If nobody carries it on: systemctl start ${TRIAL_UNIT}`,
    );
  }
  const version = await releaseAt(places.current);
  if (version === undefined) throw refused(`${places.current} leads nowhere, so nothing says which release runs`);
  return await factsOf(join(places.releases, version));
}

function mustFollow(from: ReleaseFacts, to: ReleaseFacts, allowDowngrade: boolean): void {
  const order = compareVersions(to.version, from.version);
  if (order === 0) throw refused(`release ${to.version} runs already`);
  if (order < 0 && !allowDowngrade)
    throw refused(
      `release ${to.version} is older than ${from.version}, which runs. To go back to the release before: relay upgrade --roll-back. If you want this one all the same: --allow-downgrade`,
    );
  if (order > 0 && compareVersions(from.version, to.followsFrom) < 0)
    throw refused(`release ${to.version} can follow ${to.followsFrom} or later, and ${from.version} runs. Install a release in between first`);
}

function mustRead({ version }: ReleaseFacts, unreadable: readonly string[]): void {
  if (unreadable.length > 0)
    throw refused(`release ${version} could not read what is on this machine's disk. ${unreadable.join('; ')}. Take a release that reads it`);
}

function mustHaveWayBack({ oneWay }: Compatibility, accepts: boolean, from: ReleaseFacts): void {
  if (oneWay.length === 0 || accepts) return;
  throw refused(
    `after it there would be no way back to ${from.version}: data that the new release has acknowledged could not be read by it. ${oneWay.join('; ')}. Install a release in between that reads both; or make a backup and accept that a release that is not well is not taken back: --no-way-back`,
  );
}

async function mustHaveSnapshot({ version }: ReleaseFacts, { newer }: Compatibility, withSnapshot: boolean, places: Places): Promise<void> {
  if (!(await exists(trialPlaces(places).snapshotOf(version))))
    throw refused(
      `release ${version} could not read what is on this machine's disk, and no snapshot is left. ${newer.join('; ')}. Restore a backup: relay restore`,
    );
  if (!withSnapshot)
    throw refused(
      `release ${version} could not read what is on this machine's disk: ${newer.join('; ')}. There is a snapshot from before the upgrade; with it agents that enrolled or were changed since are as they were then, and cached data stays. If you want that: --with-snapshot`,
    );
}

function refused(why: string): RelayError {
  return new RelayError('relay.upgrade.refused', `Nothing was changed: ${why}.`);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
