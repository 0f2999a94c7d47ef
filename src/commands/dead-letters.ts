import { type FileHandle, open } from 'node:fs/promises';
import { Command } from 'commander';
import type { DeadLetter } from '../cache/dead-letters.ts';
import type { Environment } from '../configuration/environment.ts';
import type { LetterOutcome, OpenedDeadLetter } from '../control/api.ts';
import { MAX_LETTERS_AT_ONCE } from '../control/dead-letters-routes.ts';
import type { Column } from '../table.ts';
import { askPerson, type Confirm } from './confirm.ts';
import { type ChoiceFlags, chosenIds, pagesOf, withChoice, withFilter } from './dead-letter-choice.ts';
import { contentOf } from './dead-letter-content.ts';
import { moment } from './moments.ts';
import { CommandFailure, createOutput, EXIT, type Output, printRows, printValue } from './output.ts';
import { openSession, type RelaySession, relayCommand, type SessionParts, type SocketFlags } from './relay-socket.ts';

const MAX_SHOWN_BYTES = 4096;

const COLUMNS: readonly Column<DeadLetter>[] = [
  ['ID', (letter) => letter.id],
  ['SINCE', (letter) => moment(letter.at)],
  ['REASON', (letter) => letter.reason],
  ['STATUS', (letter) => letter.status ?? '-'],
  ['DATA TYPE', (letter) => letter.dataType],
  ['AGENT', (letter) => letter.agentId],
  ['RECORDS', (letter) => letter.records ?? '-'],
  ['BYTES', (letter) => letter.bytes],
  ['ANSWER', (letter) => letter.answer.slice(0, 60)],
];

/** `relay dead-letters list | show | replay | export | discard`: data that was refused for its content, or that nobody can make sense of. */
export function deadLettersCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput, confirm: Confirm = askPerson): Command {
  const parts = { env, outputFor };
  return new Command('dead-letters')
    .description('data that could not be delivered')
    .addCommand(listCommand(parts))
    .addCommand(showCommand(parts))
    .addCommand(replayCommand(parts))
    .addCommand(exportCommand(parts))
    .addCommand(discardCommand(parts, confirm));
}

function listCommand(parts: SessionParts): Command {
  return withFilter(relayCommand('list', 'list what could not be delivered, the oldest first')).action(async (flags: ChoiceFlags) => {
    const session = await openSession(flags, parts);
    const letters: DeadLetter[] = [];
    for await (const page of pagesOf(session, flags)) letters.push(...page);
    printRows(session.output, letters, COLUMNS, 'No dead letters.');
  });
}

function showCommand(parts: SessionParts): Command {
  return relayCommand('show', 'show one with its content')
    .argument('<id>')
    .action(async (id: string, flags: SocketFlags) => {
      const session = await openSession(flags, parts);
      const opened = await getLetter(session, id);
      printValue(session.output, opened, describe(opened));
    });
}

function replayCommand(parts: SessionParts): Command {
  return withChoice(relayCommand('replay', 'send them again; each is a dead letter until the cache has it')).action(
    async (ids: string[], flags: ChoiceFlags) => {
      const session = await openSession(flags, parts);
      await workOn(session, 'replay', await chosenIds(session, ids, flags));
    },
  );
}

function discardCommand(parts: SessionParts, confirm: Confirm): Command {
  return withChoice(relayCommand('discard', 'delete them for good; each is entered as a loss'))
    .option('--yes', 'do not ask')
    .action(async (ids: string[], flags: ChoiceFlags & { readonly yes?: boolean }) => {
      const session = await openSession(flags, parts);
      const chosen = await chosenIds(session, ids, flags);
      if (chosen.length > 0 && !flags.yes && !(await confirm(`Delete ${chosen.length} dead letters for good?`))) {
        throw new CommandFailure(EXIT.failed, 'Nothing was discarded. Say --yes to discard without being asked.');
      }
      await workOn(session, 'discard', chosen);
    });
}

function exportCommand(parts: SessionParts): Command {
  return withChoice(relayCommand('export', 'write their content, one after another; they stay dead letters'))
    .option('--out <file>', 'write to a new file, mode 0600, instead of standard output')
    .action(async (ids: string[], flags: ChoiceFlags & { readonly out?: string }) => {
      const session = await openSession(flags, parts);
      const chosen = await chosenIds(session, ids, flags);
      const file = flags.out === undefined ? undefined : await createFile(flags.out);
      try {
        for (const id of chosen) await writeContent(session.output, file, await getLetter(session, id));
      } finally {
        await file?.close();
      }
      if (flags.out !== undefined)
        printValue(session.output, { exported: chosen.length, file: flags.out }, `${chosen.length} dead letters are in ${flags.out}.`);
    });
}

// In portions, because a relay answers within seconds. The first one that must be kept ends it: the next would fare no better.
async function workOn({ post, output }: RelaySession, verb: 'replay' | 'discard', ids: readonly string[]): Promise<void> {
  const outcomes: LetterOutcome[] = [];
  for (let at = 0; at < ids.length && !outcomes.some(({ outcome }) => outcome === 'kept'); at += MAX_LETTERS_AT_ONCE) {
    outcomes.push(...(await post<LetterOutcome[]>(`/dead-letters/${verb}`, { ids: ids.slice(at, at + MAX_LETTERS_AT_ONCE) })));
  }
  const failed = outcomes.filter(({ outcome }) => outcome === 'kept' || outcome === 'gone');
  const done = outcomes.length - failed.length;
  printValue(output, outcomes, `${done} of ${ids.length} dead letters were ${verb === 'replay' ? 'sent again' : 'discarded'}.`);
  const [first] = failed;
  if (first) throw new CommandFailure(EXIT.failed, `${first.id}: ${first.message ?? 'there is no such dead letter'}`);
}

function getLetter({ get }: RelaySession, id: string): Promise<OpenedDeadLetter> {
  return get<OpenedDeadLetter>(`/dead-letters/${encodeURIComponent(id)}`);
}

async function createFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    throw new CommandFailure(EXIT.failed, `${path} cannot be written as a new file.`, { cause });
  }
}

// What cannot be inflated goes out as a JSON object with its bytes in base64.
async function writeContent(output: Output, file: FileHandle | undefined, opened: OpenedDeadLetter): Promise<void> {
  const { letter, encoding, body } = opened;
  const text = contentOf(opened) ?? JSON.stringify({ id: letter.id, encoding, body });
  if (file) await file.write(`${text}\n`);
  else output.line(text);
}

function describe(opened: OpenedDeadLetter): string {
  const facts = COLUMNS.map(([heading, cell]) => `${heading.toLowerCase().padEnd(10)} ${cell(opened.letter)}`);
  const ofHeaders = Object.entries(opened.headers).map(([name, value]) => `header     ${name}: ${value}`);
  return [...facts, ...ofHeaders, '', contentOf(opened) ?? inHexadecimal(opened)].join('\n');
}

function inHexadecimal({ body, encoding }: OpenedDeadLetter): string {
  const bytes = Buffer.from(body, 'base64');
  return `(not ${encoding}; ${bytes.length} bytes in hexadecimal)\n${bytes.subarray(0, MAX_SHOWN_BYTES).toString('hex')}`;
}
