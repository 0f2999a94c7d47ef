import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { RelayError } from '../errors.ts';
import { appliancePlaces, type Places } from '../host/places.ts';
import { type Programs, systemPrograms } from '../host/run-program.ts';
import { createServices, type Services } from '../host/services.ts';
import { readDuration } from '../units.ts';
import { followTrial, sentenceOf } from '../upgrade/follow-trial.ts';
import { oneAtATime } from '../upgrade/one-at-a-time.ts';
import { type RelayService, relayService, TRIAL_UNIT } from '../upgrade/relay-service.ts';
import { relayStatus } from '../upgrade/relay-status.ts';
import { factsOfCode } from '../upgrade/release-facts.ts';
import { releaseAt } from '../upgrade/release-folders.ts';
import { carryOutTrial } from '../upgrade/trial.ts';
import { readOutcome, readTrial, type Trial, type TrialOutcome } from '../upgrade/trial-file.ts';
import { type Patience, prepareReturn, prepareUpgrade } from '../upgrade/upgrade.ts';
import type { Pace } from '../upgrade/watch-release.ts';
import { CommandFailure, createOutput, EXIT, type Output, printValue } from './output.ts';

const WITHIN = { byDefault: '2m', leastMs: 1_000, mostMs: 60 * 60_000 };

interface UpgradeFlags {
  readonly allowDowngrade?: boolean;
  /** False when `--no-way-back` was given. */
  readonly wayBack: boolean;
  readonly healthyWithin: string;
  readonly rollBack?: boolean;
  readonly withSnapshot?: boolean;
  readonly status?: boolean;
  readonly facts?: boolean;
  readonly watchTrial?: boolean;
  readonly json?: boolean;
}

/** The machine as the command uses it. */
export interface UpgradeMachine {
  readonly places: Places;
  readonly programs: Programs;
  readonly services: Services;
  readonly service: RelayService;
  readonly pace: Pace;
  /** How long a release must stay well, in milliseconds; ten seconds unless given. */
  readonly steadyMs?: number;
}

const services = createServices(systemPrograms);
const machine: UpgradeMachine = {
  places: appliancePlaces(),
  programs: systemPrograms,
  services,
  service: relayService(services, systemPrograms),
  pace: { elapsed: () => performance.now(), pause: (ms) => new Promise((done) => setTimeout(done, ms)) },
};

/** `relay upgrade`: a signed release in place of the one that runs, on trial; and back. It runs on an appliance, as root. */
export function upgradeCommand(outputFor: (json: boolean) => Output = createOutput, on: UpgradeMachine = machine): Command {
  return new Command('upgrade')
    .description('install a signed release, try it, and go back by itself if it is not well')
    .argument('[bundle]', 'the file relay-<version>.bundle')
    .option('--allow-downgrade', 'also a release that is older than the one that runs')
    .option(
      '--no-way-back',
      'also a release that writes what the one that runs could not read: if it is not well, it is not taken back, because data it has acknowledged would be lost',
    )
    .option('--healthy-within <duration>', 'how soon after its start the new release must be well; a large cache takes its time', WITHIN.byDefault)
    .option('--roll-back', 'go back to the release that ran before this one')
    .option('--with-snapshot', 'with --roll-back: put agents and certificates back as they were before the upgrade, where the older release cannot read them')
    .option('--status', 'show which releases are there, the trial that goes on, and how the last one ended')
    .option('--facts', 'print what this release reads and writes on disk, as JSON; used where releases are made')
    .option('--watch-trial', 'carry out the trial that was begun; relay-trial.service does that')
    .option('--json', 'as JSON')
    .action((bundle: string | undefined, flags: UpgradeFlags) => run(bundle, flags, outputFor(flags.json ?? false), on));
}

async function run(bundle: string | undefined, flags: UpgradeFlags, output: Output, on: UpgradeMachine): Promise<void> {
  const asked = [bundle !== undefined, flags.rollBack, flags.status, flags.facts, flags.watchTrial].filter(Boolean).length;
  if (asked !== 1) throw new CommandFailure(EXIT.usage, 'Name a bundle, or one of --roll-back, --status, --facts.');
  if (flags.facts) return output.line(JSON.stringify(factsOfCode));
  if (flags.status) return await showStatus(output, on);
  if (flags.watchTrial) return await watchTrial(output, on);
  const parts = { ...on, status: relayStatus, tell: teller(output) };
  const patience: Patience = { withinMs: readWithin(flags.healthyWithin), steadyMs: on.steadyMs };
  const trial =
    bundle === undefined
      ? await prepareReturn({ ...patience, withSnapshot: flags.withSnapshot ?? false }, parts)
      : await prepareUpgrade({ ...patience, bundle: resolve(bundle), allowDowngrade: flags.allowDowngrade ?? false, acceptsNoWayBack: !flags.wayBack }, parts);
  report(await followTrial(on.places, trial, { start: () => on.services.start(TRIAL_UNIT), pace: on.pace, tell: teller(output) }), output);
}

function readWithin(text: string): number {
  const ms = readDuration(text);
  if (ms !== undefined && ms >= WITHIN.leastMs && ms <= WITHIN.mostMs) return ms;
  throw new CommandFailure(EXIT.usage, `--healthy-within: found ${JSON.stringify(text)}; a duration such as 2m or 90s, from 1s to 1h.`);
}

// A program gets one JSON value at the end; a person is told as it goes.
function teller({ json, line }: Output): (sentence: string) => void {
  return json ? () => {} : line;
}

function report(outcome: TrialOutcome | undefined, output: Output): void {
  if (!outcome)
    throw new RelayError(
      'relay.upgrade.busy',
      'The trial has not ended in all the time that it may take. See: relay upgrade --status; journalctl --unit relay-trial',
    );
  const isKept = outcome.ending === 'kept';
  if (isKept || output.json) printValue(output, outcome, wordsFor(outcome));
  if (!isKept) throw new CommandFailure(EXIT.failed, wordsFor(outcome));
}

/** How a trial ended, in words. */
export function wordsFor({ ending, from, to, why, lastLines }: TrialOutcome): string {
  const reason = why === undefined ? '' : ` Why: ${why}`;
  const lines = lastLines ? `\nThe last lines of ${to}:\n${lastLines}` : '';
  switch (ending) {
    case 'kept':
      return `Release ${to} runs and is well. ${from} stays on the machine: relay upgrade --roll-back`;
    case 'taken-back':
      return `Release ${to} was taken back; ${from} runs again and is well. What was acknowledged meanwhile is in the cache.${reason}${lines}`;
    case 'taken-back-unwell':
      return `Release ${to} was taken back, but ${from} is not well either: relay doctor; journalctl --unit relay.${reason}${lines}`;
    case 'no-way-back':
      return `Release ${to} is not well, and stays because there is no way back from it: relay doctor; journalctl --unit relay.${reason}${lines}`;
  }
}

// Lines for the journal; how it ended is in the outcome, and is no failure of the unit.
async function watchTrial(output: Output, { places, service, pace }: UpgradeMachine): Promise<void> {
  const parts = { places, service, pace, status: relayStatus, tell: (step: string) => output.line(`trial: ${step}`), now: Date.now };
  if (!(await readTrial(places))) return output.line('No release is on trial.');
  const outcome = await oneAtATime(dirname(places.trial), 'carrying out the trial of a release', () => carryOutTrial(parts));
  output.line(outcome ? wordsFor(outcome) : 'No release is on trial.');
}

interface ReleaseStatus {
  readonly current: string | undefined;
  readonly previous: string | undefined;
  readonly trial: (Pick<Trial, 'phase'> & { readonly from: string; readonly to: string }) | undefined;
  readonly last: TrialOutcome | undefined;
}

async function showStatus(output: Output, { places }: UpgradeMachine): Promise<void> {
  const [current, previous, trial, last] = [
    await releaseAt(places.current),
    await releaseAt(places.previous),
    await readTrial(places),
    await readOutcome(places),
  ];
  const status: ReleaseStatus = { current, previous, trial: trial && { phase: trial.phase, from: trial.from.version, to: trial.to.version }, last };
  const lines = [
    `current: ${current ?? 'none'}   previous: ${previous ?? 'none'}`,
    trial ? `On trial: ${trial.from.version} → ${trial.to.version}. ${sentenceOf(trial)}` : 'No release is on trial.',
    ...(last ? [`Last trial, ${last.at}: ${wordsFor(last)}`] : []),
  ];
  printValue(output, status, lines.join('\n'));
}
