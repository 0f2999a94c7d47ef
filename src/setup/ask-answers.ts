import { messageOf, RelayError } from '../errors.ts';
import { type AnswerText, answersOfProperties, faultIn, offeredProperties, propertiesOf } from './answer-names.ts';
import type { Answers } from './answers.ts';
import type { Dialogue } from './dialogue.ts';
import { writtenAnswers } from './kept-answers.ts';
import { type RawAnswers, readAnswers } from './read-answers.ts';
import { answersTyped, SCREENS, type Screen, type Typing, typingOf } from './screens.ts';

const FROM = 'the dialogue';

/** Asks a person for the answers, box by box, with a way back from each; nothing is done before the summary is agreed to. Undefined when the person left. */
export async function askAnswers(dialogue: Dialogue, last: Answers | undefined): Promise<RawAnswers | undefined> {
  const typing = new Map(last ? typingOf(propertiesOf(last)) : []);
  const before: Before = { answers: last, texts: last ? propertiesOf(last) : new Map() };
  let at = 0;
  for (;;) {
    const screen = SCREENS[at];
    if (screen === undefined) {
      const agreed = await agree(dialogue, typing, before);
      if (agreed === 'left') return undefined;
      if (agreed === 'agreed') return rawOf(typing, before);
      at = boxBefore(at, typing);
      continue;
    }
    if (!screen.isAsked(typing)) {
      at += 1;
      continue;
    }
    const said = await dialogue.ask(screen.question(typing.get(screen.name) ?? ''));
    if (said.kind === 'left') return undefined;
    if (said.kind === 'back') {
      at = boxBefore(at, typing);
      continue;
    }
    const fault = faultOf(screen, said.text);
    if (fault === undefined) {
      typing.set(screen.name, said.text.trim());
      at += 1;
    } else await dialogue.tell('That does not fit', fault);
  }
}

// The nearest box before that was asked; the first one stays.
function boxBefore(at: number, typing: Typing): number {
  const earlier = SCREENS.slice(0, at).findLastIndex(({ isAsked }) => isAsked(typing));
  return Math.max(0, earlier);
}

function faultOf({ name, isRequired }: Screen, text: string): string | undefined {
  if (text.trim() === '') return isRequired ? 'This cannot be left empty.' : undefined;
  return faultIn(name, text);
}

interface Before {
  readonly answers: Answers | undefined;
  readonly texts: AnswerText;
}

// The dialogue asks for one workspace; further ones stay as they were.
function rawOf(typing: Typing, { answers, texts }: Before): RawAnswers {
  const value = answersOfProperties(answersTyped(typing, texts)) as Record<string, unknown>;
  const { workspaces = [] } = answers === undefined ? {} : (writtenAnswers(answers) as { readonly workspaces?: readonly unknown[] });
  const [, ...others] = workspaces;
  if (others.length === 0) return { from: FROM, prefix: '', value };
  const { workspace, ...rest } = value;
  return { from: FROM, prefix: '', value: { ...rest, workspaces: [...(workspace === undefined ? [] : [workspace]), ...others] } };
}

async function agree(dialogue: Dialogue, typing: Typing, earlier: Before): Promise<'agreed' | 'back' | 'left'> {
  try {
    readAnswers(rawOf(typing, earlier));
  } catch (error) {
    // What fits one by one may not fit together.
    await dialogue.tell('This does not fit together', error instanceof RelayError ? error.message : messageOf(error));
    return 'back';
  }
  const said = await dialogue.ask({ kind: 'confirm', title: 'Set up this relay?', text: summaryOf(answersTyped(typing, earlier.texts)), yes: 'Set up' });
  return said.kind === 'said' ? 'agreed' : said.kind;
}

/** What was answered, a line each, without secrets. */
export function summaryOf(answers: AnswerText): string {
  const lines = offeredProperties().flatMap(({ property, label, isSecret }) => {
    const text = answers.get(property) ?? '';
    if (text === '') return [];
    return [`${label}: ${isSecret ? '(given, not shown)' : text.length > 60 ? `${text.slice(0, 57)}...` : text}`];
  });
  return lines.join('\n');
}
