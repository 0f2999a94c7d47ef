import { setTimeout as wait } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import type { Status } from '../control/api.ts';
import { attentionOf } from '../control/attention-of.ts';
import { readDuration } from '../units.ts';
import { openLiveTerminal } from './live-terminal.ts';
import { createOutput, type Output } from './output.ts';
import { openSession, relayCommand, type SocketFlags } from './relay-socket.ts';
import { type TopView, topLine, topScreen } from './top-screen.ts';
import { watchRelay } from './watch-relay.ts';

const SHORTEST_MS = 200;
const LONGEST_MS = 3_600_000;
/** In raw mode Ctrl-C is a key like others. */
const ENDING_KEYS = ['q', 'Q', '\u0003'];

interface TopFlags extends SocketFlags {
  readonly every: number;
  readonly times?: number;
}

/** `relay top`: how fast data moves, what waits and what needs attention, live; lines of text when it is not shown on a terminal. */
export function topCommand(env: Environment, outputFor: (json: boolean) => Output = createOutput): Command {
  return relayCommand('top', 'watch live how fast data moves, what waits, and what needs attention; q ends it')
    .addOption(new Option('--every <duration>', 'how often it is drawn').argParser(toDuration).default(2_000, '2s'))
    .option('--times <number>', 'end after so many times', toCount)
    .action(async (flags: TopFlags) => {
      const { get, output } = await openSession(flags, { env, outputFor });
      await watch(flags, (signal) => get<Status>('/status', { signal }), output);
    });
}

async function watch({ every, times }: TopFlags, ask: (signal: AbortSignal) => Promise<Status>, output: Output): Promise<void> {
  const ending = new AbortController();
  using undo = new DisposableStack();
  undo.defer(endBySignals(() => ending.abort()));
  const show = showerFor(every, output, undo, () => ending.abort());
  const pause = (signal: AbortSignal): Promise<void> => wait(every, undefined, { signal }).catch(() => {});
  await watchRelay({ ask, show, pause, now: Date.now, ended: ending.signal, times });
}

function showerFor(everyMs: number, output: Output, undo: DisposableStack, end: () => void): (view: TopView) => void {
  if (output.json) return (view) => output.line(JSON.stringify(asValue(view)));
  if (!process.stdout.isTTY) return (view) => output.line(topLine(view));
  const terminal = openLiveTerminal(process.stdout);
  // Whatever ends the process, the terminal is given back.
  process.once('exit', terminal.close);
  undo.defer(() => {
    process.off('exit', terminal.close);
    terminal.close();
  });
  undo.defer(endByKeys(end));
  return (view) => terminal.draw(topScreen(view, everyMs));
}

function asValue(view: TopView): object {
  if (!view.answers) return { at: view.now, answers: false, reason: view.reason };
  const { now, rates = null, status } = view;
  return { at: now, answers: true, ready: status.cache.ready, rates, workspaces: status.cache.workspaces, attention: attentionOf(status, now) };
}

function endBySignals(end: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, end);
  // The reader of a pipe went away.
  process.stdout.on('error', end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

function endByKeys(end: () => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const onKeys = (keys: Buffer): void => {
    if (ENDING_KEYS.some((key) => keys.includes(key))) end();
  };
  stdin.setRawMode(true);
  stdin.on('data', onKeys);
  return () => {
    stdin.off('data', onKeys);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

function toDuration(text: string): number {
  const ms = readDuration(text);
  if (ms === undefined || ms < SHORTEST_MS || ms > LONGEST_MS) throw new InvalidArgumentError('A duration from 200ms to 1h, such as 2s.');
  return ms;
}

function toCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A number of 1 or more.');
}
