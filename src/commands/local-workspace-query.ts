import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readSecretFile } from '../files.ts';
import { DEFAULT_WAIT_S, MAX_WAIT_S } from '../local-workspace/query/api/limits.ts';
import { createLogger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { toWorkspace, wholeNumber } from './local-workspace-options.ts';
import { CommandFailure, EXIT } from './output.ts';
import type { QueryRefusal } from './query-answer.ts';
import { askQuery, type QueryTarget } from './query-client.ts';
import { markedLine, QUERY_FORMATS, queryOutput, type Terminal, type Wanted } from './query-output.ts';
import { readQueryText } from './query-text.ts';

interface QueryOptions extends Omit<Wanted, 'format'> {
  readonly data?: string;
  readonly url?: URL;
  readonly tokenFile?: string;
  readonly root?: string;
  readonly workspace: WorkspaceId;
  readonly file?: string;
  readonly timespan?: string;
  readonly wait: number;
  readonly format?: (typeof QUERY_FORMATS)[number];
  readonly json: boolean;
}

/** `relay local-workspace query`: asks a running local workspace in its query language, as the operator at its socket or with a token over HTTPS. */
export function kqlCommand(): Command {
  return new Command('query')
    .description('ask a running one in its query language')
    .argument('[query]', 'such as "Heartbeat | summarize count() by Computer"; - reads it from standard input')
    .addOption(new Option('--data <folder>', "the local workspace's data folder: ask at its socket, as the operator").conflicts(['url', 'tokenFile', 'root']))
    .option('--url <url>', 'ask over HTTPS instead, such as https://relay.example:9443', toHttps)
    .option('--token-file <file>', 'the file that holds the access token, with --url')
    .option('--root <file>', "the certificate in PEM that the server's leads to, with --url; else those that the machine trusts")
    .requiredOption('--workspace <guid>', 'whose data', toWorkspace)
    .option('--file <file>', 'read the query from this file')
    .option('--timespan <iso>', 'only this time: PT1H, or 2026-11-28T00:00:00Z/2026-11-29T00:00:00Z')
    .option('--wait <s>', 'how long the query may run', wholeNumber(1, MAX_WAIT_S), DEFAULT_WAIT_S)
    .addOption(new Option('--format <format>', 'how the answer is written (table unless said)').choices(QUERY_FORMATS))
    .addOption(new Option('--json', 'one JSON value on one line: the same as --format json').conflicts(['chart']).default(false))
    .addOption(new Option('--chart', 'draw the first numbers over the first times').conflicts(['format']).default(false))
    .option('--ascii', 'draw without block characters', false)
    .action(query);
}

async function query(argument: string | undefined, options: QueryOptions): Promise<void> {
  const text = await readQueryText({ argument, file: options.file }, process.stdin);
  const { workspace, timespan, wait: waitS, json, chart, ascii } = options;
  const reply = await askQuery(await targetOf(options), { workspace, text, timespan, waitS });
  if (reply.kind === 'refused') return fail(reply, text, json);
  const result = reply.kind === 'no-data' ? { columns: [], rows: [], partial: 'The workspace has no data yet.' } : reply;
  const written = queryOutput(result, { format: json ? 'json' : options.format, chart, ascii }, terminal());
  process.stdout.write(written.text);
  for (const note of written.notes) process.stderr.write(`${note}\n`);
  // The rows that are there are right, and some are missing.
  if (reply.kind === 'result' && reply.partial !== undefined) process.exitCode = EXIT.attention;
}

async function targetOf({ data, url, tokenFile, root }: QueryOptions): Promise<QueryTarget> {
  if (data !== undefined) return { kind: 'socket', dataFolder: data };
  if (url === undefined || tokenFile === undefined) {
    throw new CommandFailure(EXIT.usage, 'Say whom to ask: --data <folder> for the one on this machine, or --url <url> with --token-file <file>.');
  }
  const log = createLogger('warn', process.stderr);
  const token = await readSecretFile(tokenFile, (message) => log.warn(message));
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new CommandFailure(EXIT.usage, `The file ${tokenFile} does not hold one access token. Put the token alone into it.`);
  return { kind: 'https', url, token, root: root === undefined ? undefined : await rootIn(root) };
}

async function rootIn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CommandFailure(EXIT.usage, `The certificate ${file} cannot be read. Check the name after --root.`, { cause });
  }
}

function terminal(): Terminal {
  return { isTerminal: process.stdout.isTTY === true, columns: process.stdout.columns ?? 80 };
}

function fail(refusal: QueryRefusal, text: string, json: boolean): never {
  const marked = markedLine(text, refusal);
  if (!json && marked !== undefined) process.stderr.write(`${marked}\n`);
  throw new CommandFailure(refusal.status === 400 ? EXIT.usage : EXIT.failed, refusal.message);
}

function toHttps(text: string): URL {
  const url = URL.parse(text);
  // A token goes with it.
  if (url?.protocol === 'https:' && url.pathname === '/' && url.username === '') return url;
  throw new InvalidArgumentError('It must be an address such as https://relay.example:9443.');
}
