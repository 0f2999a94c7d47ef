import { Command } from 'commander';
import type { Environment } from '../configuration/environment.ts';
import { loadConfiguration } from '../configuration/load.ts';
import { type AskOptions, ask } from '../control/client.ts';
import type { Output } from './output.ts';

/** Options of every command that talks to the running relay. */
export interface SocketFlags {
  readonly config?: string;
  readonly socket?: string;
  readonly json?: boolean;
}

/** A command that needs a running relay: it finds its socket by `--socket`, else by the configuration. */
export function relayCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'the configuration file, which says where the relay listens for commands')
    .option('--socket <path>', "the relay's control socket, instead of the configuration's")
    .option('--json', 'as JSON');
}

/** What such a command works with: a way to ask the relay, and where to write. */
export interface RelaySession {
  readonly output: Output;
  get<T>(path: string, options?: AskOptions): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

/** Where such a command finds its relay, and how it prints. */
export interface SessionParts {
  readonly env: Environment;
  readonly outputFor: (json: boolean) => Output;
}

export async function openSession(flags: SocketFlags, { env, outputFor }: SessionParts): Promise<RelaySession> {
  const socket = flags.socket ?? (await loadConfiguration({ file: flags.config, env })).control.socket;
  return {
    output: outputFor(flags.json ?? false),
    get: (path, options) => ask(socket, 'GET', path, undefined, options),
    post: (path, body) => ask(socket, 'POST', path, body ?? {}),
    delete: (path) => ask(socket, 'DELETE', path),
  };
}
