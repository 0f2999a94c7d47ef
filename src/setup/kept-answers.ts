import { parseDocument, stringify } from 'yaml';
import { changeAt, optionPlaces } from '../configuration/option-places.ts';
import { type Answers, answersSchema } from './answers.ts';
import { withoutSecrets } from './secrets-of.ts';

const HEAD = '# What this machine was told by relay setup, without secrets. Setup compares with it when it runs again.\n';

/** What setup worked with when it ran last. */
export interface KeptAnswers {
  /** False: it began and did not come to its end. */
  readonly finished: boolean;
  readonly answers: Answers;
}

/** The file of kept answers. Of secrets it holds nothing. */
export function keptAnswersText({ finished, answers }: KeptAnswers): string {
  return `${HEAD}${stringify({ finished, answers: writtenAnswers(answers) }, { lineWidth: 0, keepUndefined: false })}`;
}

/** Answers as a file would hold them, without secrets. */
export function writtenAnswers(answers: Answers): unknown {
  return optionPlaces(answersSchema).reduce<unknown>(
    (value, { path, facts }) => changeAt(value, path, (found) => facts.kind.write(found)),
    withoutSecrets(answers),
  );
}

/** Reads it back; undefined when there is none, or when it is of another release and cannot be read: then nothing is known of before. */
export function readKeptAnswers(text: string | undefined): KeptAnswers | undefined {
  if (text === undefined) return undefined;
  const document = parseDocument(text);
  if (document.errors.length > 0) return undefined;
  const { finished, answers } = (document.toJS() ?? {}) as { readonly finished?: unknown; readonly answers?: unknown };
  const parsed = answersSchema.safeParse(answers);
  return parsed.success ? { finished: finished === true, answers: parsed.data } : undefined;
}
