import type { QueryAnswer, QueryContext, QueryError } from '../result.ts';
import { readAnswer } from './answer.ts';
import { createBudget } from './budget.ts';
import { DEFAULT_STATE_BYTES } from './limits.ts';
import type { Run } from './operators/stage.ts';
import { bindQuery } from './plan/query.ts';
import { Cancelled, TextProblem, TooLarge } from './problem.ts';
import { readQuery } from './syntax/query.ts';

/**
 * Answers a query of the supported part of Kusto's language (README.md). Everything that is wrong with the text, the caller giving up, and too much
 * memory are answers; only what the scanner throws is thrown. The text's length is the caller's to cap.
 */
export async function runQuery(text: string, context: QueryContext): Promise<QueryAnswer> {
  try {
    const { stage, render } = bindQuery(readQuery(text), context.scanner.tables(), context.now);
    let scannedRows = 0;
    const run = createRun(context, (rows) => {
      scannedRows += rows;
    });
    await run.pause();
    const answer = await readAnswer(stage, run, context.limits);
    return { kind: 'table', ...answer, scannedRows, ...(render ? { render } : {}) };
  } catch (thrown) {
    if (thrown instanceof TextProblem) return describe(text, thrown);
    if (thrown instanceof Cancelled) return { kind: 'cancelled' };
    if (thrown instanceof TooLarge) return { kind: 'too-large', message: thrown.message };
    throw thrown;
  }
}

function createRun({ scanner, timespan, limits, signal, breathe }: QueryContext, scanned: (rows: number) => void): Run {
  const check = (): void => {
    if (signal.aborted) throw new Cancelled();
  };
  return {
    scanner,
    timespan,
    budget: createBudget(limits.stateBytes ?? DEFAULT_STATE_BYTES),
    scanned,
    async pause() {
      check();
      await breathe();
      check();
    },
  };
}

// What is shown of a word or a message: the query's text may be long.
const SHOWN_WORD = 100;
const SHOWN_MESSAGE = 1_000;

function describe(text: string, { kind, word, message, code }: TextProblem): QueryError {
  const before = text.slice(0, word.offset).split('\n');
  const token = word.text.slice(0, SHOWN_WORD);
  const place = { line: before.length, position: (before.at(-1) ?? '').length + 1, offset: word.offset, token };
  const at = `line [${place.line},${place.position}]`;
  const said = message.length > SHOWN_MESSAGE ? `${message.slice(0, SHOWN_MESSAGE)}…` : message;
  const syntax = `Query could not be parsed at ${token === '' ? 'the end' : `'${token}'`} on ${at}: ${said.endsWith('?') ? said : `${said}.`}`;
  return { kind, ...(code === undefined ? {} : { code }), message: kind === 'syntax-error' ? syntax : `${said} (at '${token}' on ${at})`, ...place };
}
