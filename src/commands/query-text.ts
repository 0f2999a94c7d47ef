import { readFile } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { MAX_QUERY_CHARS } from '../local-workspace/query/api/limits.ts';
import { CommandFailure, EXIT } from './output.ts';

/** Where a query's text comes from. */
export interface QuerySource {
  /** The text itself, or `-` for standard input. */
  readonly argument: string | undefined;
  readonly file: string | undefined;
}

/** The text of the query; there must be exactly one source of it. */
export async function readQueryText({ argument, file }: QuerySource, stdin: NodeJS.ReadableStream): Promise<string> {
  if ((argument === undefined) === (file === undefined)) {
    throw new CommandFailure(
      EXIT.usage,
      'Give the query once: as an argument such as "Heartbeat | count", as - to read it from standard input, or with --file.',
    );
  }
  const text = (file === undefined ? await given(argument, stdin) : await inFile(file)).trim();
  if (text === '') throw new CommandFailure(EXIT.usage, 'The query is empty. Write one such as: Heartbeat | count');
  if (text.length > MAX_QUERY_CHARS) throw new CommandFailure(EXIT.usage, `The query has ${text.length} characters, more than ${MAX_QUERY_CHARS}. Shorten it.`);
  return text;
}

async function given(argument: string | undefined, stdin: NodeJS.ReadableStream): Promise<string> {
  return argument === '-' ? await readText(stdin) : (argument ?? '');
}

async function inFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CommandFailure(EXIT.usage, `The file ${file} with the query cannot be read. Check its name.`, { cause });
  }
}
