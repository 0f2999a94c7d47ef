import type { Command } from 'commander';
import type { DeadLetter } from '../cache/dead-letters.ts';
import { CommandFailure, EXIT } from './output.ts';
import type { RelaySession, SocketFlags } from './relay-socket.ts';

/** Which letters a command is about. */
export interface ChoiceFlags extends SocketFlags {
  readonly all?: boolean;
  readonly workspace?: string;
  readonly dataType?: string;
}

/** Options by which letters are told apart. */
export function withFilter(command: Command): Command {
  return command
    .option('--workspace <id>', 'only of this workspace; the beginning of its id is enough')
    .option('--data-type <name>', 'only of this data type, such as LINUX_SYSLOGS_BLOB');
}

/** Options of a command that works on letters: some ids, or all that fit. */
export function withChoice(command: Command): Command {
  return withFilter(command.argument('[id...]', 'as "list" shows them').option('--all', 'all of them, or all that fit --workspace and --data-type'));
}

/** The letters that fit, page by page, the oldest first. */
export async function* pagesOf({ get }: RelaySession, { workspace, dataType }: ChoiceFlags): AsyncGenerator<DeadLetter[]> {
  const query = new URLSearchParams({ ...(workspace === undefined ? {} : { workspace }), ...(dataType === undefined ? {} : { dataType }) });
  for (;;) {
    const page = await get<DeadLetter[]>(`/dead-letters?${query}`);
    const last = page.at(-1);
    if (!last) return;
    yield page;
    query.set('after', `${last.at}.${last.id}`);
  }
}

/** The ids of the letters that are meant now. Fails when it is not said which. */
export async function chosenIds(session: RelaySession, ids: readonly string[], flags: ChoiceFlags): Promise<string[]> {
  if (ids.length > 0 && !flags.all && flags.workspace === undefined && flags.dataType === undefined) return [...ids];
  if (ids.length > 0 || !flags.all)
    throw new CommandFailure(EXIT.usage, 'Say which: the ids of dead letters, or --all, which --workspace and --data-type narrow.');
  const found: string[] = [];
  for await (const page of pagesOf(session, flags)) found.push(...page.map(({ id }) => id));
  return found;
}
