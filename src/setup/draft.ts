/** The configuration file that the answers lead to, and what its own rules say of it, in the operator's words. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { loadConfiguration } from '../configuration/load.ts';
import type { Configuration } from '../configuration/schema.ts';
import { RelayError } from '../errors.ts';
import type { ApprovalRule } from '../management-group/options.ts';
import type { Answers } from './answers.ts';
import { mergeList } from './merge-list.ts';
import { mergeOptions, type SetOption } from './merge-options.ts';
import { applianceOptions, hostOf, type OptionsParts, optionsOfAnswers } from './options-of-answers.ts';
import { asTyped, badAnswers, type Typed } from './read-answers.ts';

/**
 * The text of relay.yaml with these answers in it. `before`: those that setup worked with last. A workspace that is in the answers no more stays: it may hold
 * data. Throws `relay.configuration.invalid`.
 */
export function draftOf(text: string, answers: { readonly before: Answers | undefined; readonly now: Answers }, parts: OptionsParts): string {
  const { now } = answers;
  const before = answers.before && {
    ...answers.before,
    workspaces: answers.before.workspaces.filter(({ id }) => now.workspaces.some((each) => each.id === id)),
  };
  const merged = mergeOptions(text, {
    before: before ? optionsOfAnswers(before, parts) : [],
    now: optionsOfAnswers(now, parts),
    ifAbsent: applianceOptions(parts),
  });
  return mergeOptions(merged, { before: [], now: listsOf(merged, answers), ifAbsent: [] });
}

// Lists that others write into as well: setup puts in and takes out its own items.
function listsOf(text: string, { before, now }: { readonly before: Answers | undefined; readonly now: Answers }): readonly SetOption[] {
  const found = (parseDocument(text).toJS() ?? {}) as { authority?: { serverNames?: unknown } | null; managementGroup?: { approve?: unknown } | null };
  const names = mergeList(found.authority?.serverNames, { before: before ? namesOf(before) : [], now: namesOf(now) });
  const approve = found.managementGroup?.approve;
  // The words all and none are somebody's decision, but none is what holds where nothing is said.
  const rules = mergeList(approve === 'none' ? undefined : approve, { before: before ? rulesOf(before) : [], now: rulesOf(now) });
  return [
    ...(names === undefined ? [] : [{ at: ['authority', 'serverNames'], value: names }]),
    ...(rules === undefined ? [] : [{ at: ['managementGroup', 'approve'], value: rules.length === 0 ? 'none' : rules }]),
  ];
}

function namesOf({ address }: Answers): readonly string[] {
  const host = hostOf(address);
  return host === undefined ? [] : [host];
}

function rulesOf({ workspaces }: Answers): readonly ApprovalRule[] {
  return workspaces.flatMap(({ enrolmentKey: { name, approve } }) => {
    if (name === undefined || approve === undefined || approve === 'none') return [];
    return [approve === 'all' ? { enrolmentKey: name } : { hostName: approve, enrolmentKey: name }];
  });
}

export interface DraftFrom {
  readonly answers: Answers;
  /** Where they were found, and how they were written. */
  readonly from: string;
  readonly typed: Typed;
  /** The file that the draft is for. */
  readonly place: string;
}

/**
 * Judges a draft as the relay would at its start. Throws `relay.setup.bad-answers` when an answer is at fault, under its name as typed, and
 * `relay.configuration.invalid` when something is wrong that was in the file already.
 */
export async function checkDraft(text: string, draft: DraftFrom): Promise<Configuration> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-setup-'));
  const file = join(folder, 'relay.yaml');
  try {
    await writeFile(file, text, { mode: 0o600 });
    return await loadConfiguration({ file, env: {} });
  } catch (error) {
    if (!(error instanceof RelayError) || error.code !== 'relay.configuration.invalid') throw error;
    throw problemOf(error, text, draft) ?? new RelayError('relay.configuration.invalid', error.message.replaceAll(file, draft.place), { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Undefined when not every problem is one of the answers.
function problemOf({ message }: RelayError, text: string, { answers, from, typed }: DraftFrom): RelayError | undefined {
  const [, ...problems] = message.split('\n').map((line) => line.trim());
  const { workspaces = [] } = (parseDocument(text).toJS() ?? {}) as { readonly workspaces?: readonly { readonly id?: unknown }[] };
  const ids = workspaces.map(({ id }) => answers.workspaces.findIndex((each) => each.id === String(id).toLowerCase()));
  const ours = problems.flatMap((problem) => answerAtFault(problem, ids) ?? []);
  if (ours.length < problems.length) return undefined;
  return badAnswers(
    from,
    ours.map((each) => asTyped(each, typed)),
  );
}

const ANSWERS: readonly (readonly [option: RegExp, answer: string])[] = [
  [/^ingestion\.signIn\.tenantId/, 'tenant'],
  [/^ingestion\.signIn\.clientId/, 'client'],
  [/^ingestion\.signIn\.secretFile/, 'secret'],
  [/^ingestion\.signIn\.trustFile/, 'signInTrust'],
  [/^ingestion\.signIn\./, ''],
  [/^ingestion\.signIn/, 'secret'],
  [/^ingestion\./, ''],
  [/^ingestion/, 'ruleId'],
  [/^sharedKeyFile/, 'sharedKey'],
  [/^trustFile/, 'trust'],
  [/^path\.proxy\.passwordFile/, 'path.proxy.password'],
  [/^path\.proxy\.trustFile/, 'path.proxy.trust'],
  [/^(path|name|endpoint|protocol)/, '$1'],
];

const OTHER_WORDS = { tenantId: 'tenant', clientId: 'client', secretFile: 'secret', passwordFile: 'password' };

// `workspaces[1].sharedKeyFile: not given; …` is the answer `workspaces[0].sharedKey`, where the file has one workspace more. Undefined for options that no answer gives.
function answerAtFault(problem: string, ids: readonly number[]): string | undefined {
  const [, index, rest = ''] = /^workspaces\[(\d+)\]\.(.*)$/.exec(problem) ?? [];
  if (index === undefined) return /^(domain|workspaces):/.test(problem) ? problem : undefined;
  const at = ids[Number(index)] ?? -1;
  const found = ANSWERS.find(([option]) => option.test(rest));
  if (found === undefined || at < 0) return undefined;
  const words = Object.entries(OTHER_WORDS).reduce((text, [option, answer]) => text.replaceAll(option, answer), rest.replace(...found));
  return `workspaces[${at}].${words}`;
}
