/**
 * An upgrade on trial, as a file: whoever carries it out writes each phase before it acts, so that after a kill or a power cut the next one knows
 * what may have been done. Beside it lies a link to the release that judges, and afterwards how the last trial ended.
 *
 * Invariants: the file exists from before anything is changed until all is settled. Whenever `current` leads to the release on trial, the snapshot is
 * whole; from `restoring` on it leads to the old release. The release that judges is one that has run well, never the one that is judged.
 */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, syncFolder, writeFileAtomic } from '../files.ts';
import type { Places } from '../host/places.ts';
import { type Formats, formatsSchema } from './facts-schema.ts';
import type { Part } from './snapshot.ts';

/**
 * `prepared`: nothing is changed yet. `changing`: the relay is stopped, the snapshot taken, the links are turned; the release on trial was not started.
 * `watching`: it was started. `settled`: it is well, and stays. `returning`: the old release is put back. `restoring`: the snapshot is being put back.
 * `restored`: it is, as far as it had to be.
 */
export type Phase = 'prepared' | 'changing' | 'watching' | 'settled' | 'returning' | 'restoring' | 'restored';

/** A release as the trial knows it. */
export interface TrialRelease {
  readonly version: string;
  readonly formats: Formats;
}

export interface Trial {
  readonly phase: Phase;
  readonly from: TrialRelease;
  readonly to: TrialRelease;
  /** Where `previous` led before. */
  readonly previousBefore?: string | undefined;
  /** False: `from` could not read what `to` writes, so it is not put back by itself. */
  readonly hasWayBack: boolean;
  /** What `to` can only use as its own snapshot has it. */
  readonly putBack: readonly Part[];
  /** What is being put back of the snapshot of `from`; known from `restoring` on. */
  readonly restores: readonly Part[];
  /** Where the relay keeps its state, and where it listens for commands. */
  readonly state: string;
  readonly socket: string;
  /** Why the relay was not ready before. */
  readonly reasonsBefore: readonly string[];
  /** Milliseconds. */
  readonly withinMs: number;
  readonly steadyMs: number;
  /** How often watching was begun. */
  readonly watches: number;
  /** Why the release on trial was not kept, and what it logged last. */
  readonly why?: string | undefined;
  readonly lastLines?: string | undefined;
}

/** How a trial ended: the new release stays; the old one is back, well or not well; or the new one is not well, and there is no way back. */
export type Ending = 'kept' | 'taken-back' | 'taken-back-unwell' | 'no-way-back';

export interface TrialOutcome {
  readonly ending: Ending;
  readonly from: string;
  readonly to: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly why?: string | undefined;
  readonly lastLines?: string | undefined;
}

const release = z.object({ version: z.string(), formats: formatsSchema });
const parts = z.array(z.enum(['managementGroup', 'authority']));
const trialSchema: z.ZodType<Trial> = z.object({
  phase: z.enum(['prepared', 'changing', 'watching', 'settled', 'returning', 'restoring', 'restored']),
  from: release,
  to: release,
  previousBefore: z.string().optional(),
  hasWayBack: z.boolean(),
  putBack: parts,
  restores: parts,
  state: z.string(),
  socket: z.string(),
  reasonsBefore: z.array(z.string()),
  withinMs: z.number(),
  steadyMs: z.number(),
  watches: z.number(),
  why: z.string().optional(),
  lastLines: z.string().optional(),
});
const outcomeSchema: z.ZodType<TrialOutcome> = z.object({
  ending: z.enum(['kept', 'taken-back', 'taken-back-unwell', 'no-way-back']),
  from: z.string(),
  to: z.string(),
  at: z.string(),
  why: z.string().optional(),
  lastLines: z.string().optional(),
});

/** Where the trial's other files are. */
export interface TrialPlaces {
  readonly judge: string;
  readonly outcome: string;
  /** The snapshot of the state that a release left. */
  snapshotOf(version: string): string;
  readonly snapshots: string;
}

export function trialPlaces({ trial }: Pick<Places, 'trial'>): TrialPlaces {
  const folder = dirname(trial);
  const snapshots = join(folder, 'snapshots');
  return { judge: join(folder, 'judge'), outcome: join(folder, 'outcome.json'), snapshots, snapshotOf: (version) => join(snapshots, version) };
}

/** Reads the trial; undefined when none goes on. Throws `relay.upgrade.bad-trial`. */
export async function readTrial({ trial }: Pick<Places, 'trial'>): Promise<Trial | undefined> {
  return await readAs(trialSchema, trial);
}

/** Writes the trial, durably. */
export async function writeTrial({ trial: path }: Pick<Places, 'trial'>, trial: Trial): Promise<void> {
  await makePrivateFolder(dirname(path));
  await writeFileAtomic(path, `${JSON.stringify(trial, null, 2)}\n`);
}

/** How the last trial ended; undefined when there was none. Throws `relay.upgrade.bad-trial`. */
export async function readOutcome(places: Pick<Places, 'trial'>): Promise<TrialOutcome | undefined> {
  return await readAs(outcomeSchema, trialPlaces(places).outcome);
}

/** Ends the trial: how it ended is on disk before the trial's file is gone. */
export async function endTrial(places: Pick<Places, 'trial'>, outcome: TrialOutcome): Promise<void> {
  const { judge, outcome: path } = trialPlaces(places);
  await writeFileAtomic(path, `${JSON.stringify(outcome, null, 2)}\n`);
  await rm(places.trial, { force: true });
  await rm(judge, { force: true });
  await syncFolder(dirname(places.trial));
}

async function readAs<T>(schema: z.ZodType<T>, path: string): Promise<T | undefined> {
  const text = await readFileIfAny(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text.toString('utf8')));
  } catch (cause) {
    throw new RelayError('relay.upgrade.bad-trial', `${path} cannot be read. Look which release runs (ls -l /opt/relay), and remove the file.`, { cause });
  }
}
