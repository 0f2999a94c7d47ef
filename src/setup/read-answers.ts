import { optionPlaces } from '../configuration/option-places.ts';
import { problemsOf } from '../configuration/problems.ts';
import { RelayError } from '../errors.ts';
import { type Answers, answersSchema } from './answers.ts';

/** Answers as they were found, before anybody judged them. */
export interface RawAnswers {
  /** For messages: `the file /root/answers.yaml`. */
  readonly from: string;
  /** What stands before each name where they were found: `relay.` in a cloud's user-data; empty in a file of answers. */
  readonly prefix: string;
  /** A mapping, if all is well. */
  readonly value: unknown;
}

const MOST_PROBLEMS = 50;
/** What `strike-copies.ts` leaves of a secret. */
const STRUCK = /^\*+$/;

/** Judges answers. Throws `relay.setup.bad-answers` with every problem on a line of its own, under the name that the operator typed. */
export function readAnswers({ from, prefix, value }: RawAnswers): Answers {
  const { raw, isSingle } = withWorkspaces(withoutStruck(value));
  const parsed = answersSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const sentences = problemsOf(parsed.error, optionPlaces(answersSchema), new Map());
  throw badAnswers(
    from,
    sentences.map((each) => asTyped(each, { prefix, isSingle })),
  );
}

/** How the operator wrote a name of the answers: `workspaces[0].id` may have been `relay.workspace.id`. */
export interface Typed {
  readonly prefix: string;
  /** There is one workspace, under `workspace`. */
  readonly isSingle: boolean;
}

export function typedBy({ prefix, value }: RawAnswers): Typed {
  return { prefix, isSingle: withWorkspaces(value).isSingle };
}

/** A sentence that begins with a name of the answers, with the name that was typed. */
export function asTyped(problem: string, { prefix, isSingle }: Typed): string {
  const sentence = problem.replace(': unknown option;', ': unknown answer;').replace('; a section of options', '; names with answers');
  if (sentence.startsWith('the file:')) return sentence.replace('the file', prefix === '' ? 'the answers' : prefix.replace(/\.$/, ''));
  return `${prefix}${isSingle ? sentence.replace(/^workspaces\[0\]/, 'workspace') : sentence}`;
}

export function badAnswers(from: string, sentences: readonly string[]): RelayError {
  const shown = sentences.slice(0, MOST_PROBLEMS);
  if (shown.length < sentences.length) shown.push(`and ${sentences.length - shown.length} more`);
  const count = sentences.length === 1 ? 'one problem' : `${sentences.length} problems`;
  return new RelayError(
    'relay.setup.bad-answers',
    `The answers of ${from} cannot be used, ${count}; nothing was changed:\n${shown.map((each) => `  ${each}`).join('\n')}`,
  );
}

// One workspace may stand for itself: `workspace: {…}`.
function withWorkspaces(value: unknown): { readonly raw: unknown; readonly isSingle: boolean } {
  if (!isMapping(value) || !('workspace' in value) || 'workspaces' in value) return { raw: value, isSingle: false };
  const { workspace, ...others } = value;
  return { raw: { ...others, workspaces: workspace === null ? [] : [workspace] }, isSingle: true };
}

// A secret that was struck out of a copy was given before: the credential store has it.
function withoutStruck(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutStruck);
  if (!isMapping(value)) return value;
  const kept = Object.entries(value).filter(([, each]) => !(typeof each === 'string' && STRUCK.test(each)));
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutStruck(each)]));
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
