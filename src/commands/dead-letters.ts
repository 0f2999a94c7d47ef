import { gunzipSync, inflateSync } from 'node:zlib';
import { Command } from 'commander';
import type { DeadLetter } from '../cache/dead-letters.ts';
import type { Environment } from '../configuration/environment.ts';
import type { OpenedDeadLetter } from '../control/api.ts';
import type { Column } from '../table.ts';
import { moment } from './moments.ts';
import { createOutput, type Output, printRows, printValue } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';

const MAX_SHOWN_BYTES = 64 * 1024 * 1024;

const COLUMNS: readonly Column<DeadLetter>[] = [
  ['ID', (letter) => letter.id],
  ['SINCE', (letter) => moment(letter.at)],
  ['REASON', (letter) => letter.reason],
  ['STATUS', (letter) => letter.status ?? '-'],
  ['DATA TYPE', (letter) => letter.dataType],
  ['AGENT', (letter) => letter.agentId],
  ['BYTES', (letter) => letter.bytes],
  ['ANSWER', (letter) => letter.answer.slice(0, 60)],
];

/** `relay dead-letters list | show`: batches that were refused for their content, or that nobody can make sense of. */
export function deadLettersCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  const parts = { env, outputFor };
  const list = relayCommand('list', 'list what could not be delivered').action(async (flags: SocketFlags) => {
    const { get, output } = await openSession(flags, parts);
    printRows(output, await get<DeadLetter[]>('/dead-letters'), COLUMNS, 'No dead letters.');
  });
  const show = relayCommand('show', 'show one with its content')
    .argument('<id>')
    .action(async (id: string, flags: SocketFlags) => {
      const { get, output } = await openSession(flags, parts);
      const opened = await get<OpenedDeadLetter>(`/dead-letters/${encodeURIComponent(id)}`);
      printValue(output, opened, describe(opened));
    });
  return new Command('dead-letters').description('batches that could not be delivered').addCommand(list).addCommand(show);
}

function describe({ letter, encoding, headers, body }: OpenedDeadLetter): string {
  const facts = COLUMNS.map(([heading, cell]) => `${heading.toLowerCase().padEnd(10)} ${cell(letter)}`);
  const ofHeaders = Object.entries(headers).map(([name, value]) => `header     ${name}: ${value}`);
  return [...facts, ...ofHeaders, '', contentOf(Buffer.from(body, 'base64'), encoding)].join('\n');
}

// What cannot be inflated is shown as it came: that may be the very reason it is here.
function contentOf(body: Buffer, encoding: string): string {
  try {
    if (encoding === 'deflate') return inflateSync(body, { maxOutputLength: MAX_SHOWN_BYTES }).toString();
    if (encoding === 'gzip') return gunzipSync(body, { maxOutputLength: MAX_SHOWN_BYTES }).toString();
    return body.toString();
  } catch {
    return `(not ${encoding}; ${body.length} bytes in hexadecimal)\n${body.subarray(0, 4096).toString('hex')}`;
  }
}
