import type { RelayError } from '../errors.ts';
import { type Column, tableOf } from '../table.ts';

/** Exit codes of the command line, the same for every command. */
export const EXIT = {
  ok: 0,
  /** The command ran and its answer is no: data lost, findings, nothing found. */
  failed: 1,
  /** Wrong arguments or a wrong configuration: nothing was done. */
  usage: 2,
  /** A running relay was needed and there is none, or it did not answer. */
  notRunning: 3,
  /** It works, but something wants attention before long. */
  attention: 4,
} as const;

/** Where a command writes. A person gets tables; `--json` gives one JSON value on one line. */
export interface Output {
  readonly json: boolean;
  line(text: string): void;
}

export function createOutput(json: boolean): Output {
  return { json, line: (text) => void process.stdout.write(`${text}\n`) };
}

/** Prints rows as a table, or as one JSON array. */
export function printRows<Row>(output: Output, rows: readonly Row[], columns: readonly Column<Row>[], whenEmpty: string): void {
  if (output.json) output.line(JSON.stringify(rows));
  else output.line(rows.length === 0 ? whenEmpty : tableOf(rows, columns));
}

/** Prints one value: its JSON, or the text for a person. */
export function printValue(output: Output, value: unknown, text: string): void {
  output.line(output.json ? JSON.stringify(value) : text);
}

/** A command's way to end with an exit code and a sentence. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The exit code for a surprise that reached the process's edge. */
export function exitCodeOf(error: RelayError): number {
  if (error.code.startsWith('relay.configuration.') || error.code.endsWith('.bad-id') || error.code.endsWith('.bad-answers')) return EXIT.usage;
  return error.code.startsWith('relay.control.') ? EXIT.notRunning : EXIT.failed;
}
