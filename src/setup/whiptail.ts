import { spawn } from 'node:child_process';
import { RelayError } from '../errors.ts';
import type { Dialogue, Question, Said } from './dialogue.ts';

const WIDTH = 76;
const MOST_LINES = 15;
const MOST_ANSWER_BYTES = 64 * 1024;
const EXIT = { ok: 0, back: 1, escape: 255 } as const;

/** Boxes drawn by whiptail on this process's terminal. Answers come back by a pipe; a secret is in no argument. Throws `relay.setup.no-dialogue`. */
export const whiptail: Dialogue = {
  async ask(question) {
    const { code, answer } = await run(argumentsOf(question));
    if (code === EXIT.ok) return { kind: 'said', text: answer } satisfies Said;
    if (code === EXIT.back) return { kind: 'back' };
    if (code === EXIT.escape) return { kind: 'left' };
    throw new RelayError(
      'relay.setup.no-dialogue',
      `whiptail ended with ${code}. Is this a terminal? Give the answers in a file instead: relay setup --answers <file>`,
    );
  },
  async tell(title, text) {
    await run(['--title', title, '--msgbox', '--', text, ...sizeOf(text, 0)]);
  },
};

/** The command line of one box. */
export function argumentsOf(question: Question): readonly string[] {
  const { title, text } = question;
  const head = ['--title', title, '--notags', '--ok-button', 'Next', '--cancel-button', 'Back'];
  switch (question.kind) {
    case 'text':
      return [...head, '--inputbox', '--', text, ...sizeOf(text, 1), question.initial];
    case 'secret':
      return [...head, '--passwordbox', '--', text, ...sizeOf(text, 1)];
    case 'choice': {
      const { choices, initial } = question;
      const tags = choices.flatMap(({ value, label }) => [value, label]);
      return [...head, '--default-item', initial, '--menu', '--', text, ...sizeOf(text, choices.length + 1), String(choices.length), ...tags];
    }
    case 'confirm':
      return ['--title', title, '--yes-button', question.yes, '--no-button', 'Back', ...scrolling(text), '--yesno', '--', text, ...sizeOf(text, 0)];
  }
}

// Frame, buttons and what is between them take seven lines; 24 is what a console has.
function sizeOf(text: string, extra: number): [height: string, width: string] {
  const lines = text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / (WIDTH - 4))), 0);
  return [String(Math.min(23, lines + extra + 7)), String(WIDTH)];
}

// A text that scrolls takes the first key for itself.
function scrolling(text: string): readonly string[] {
  return text.split('\n').length > MOST_LINES ? ['--scrolltext'] : [];
}

function run(args: readonly string[]): Promise<{ readonly code: number; readonly answer: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('whiptail', args, { stdio: ['inherit', 'inherit', 'pipe'] });
    let answer = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (answer.length < MOST_ANSWER_BYTES) answer += text;
    });
    child.on('error', (cause) =>
      reject(
        new RelayError('relay.setup.no-dialogue', 'whiptail is not there. Install it, or give the answers in a file: relay setup --answers <file>', { cause }),
      ),
    );
    child.on('close', (code) => resolve({ code: code ?? EXIT.escape, answer: answer.trim() }));
  });
}
