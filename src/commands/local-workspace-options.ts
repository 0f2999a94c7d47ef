import { Command, InvalidArgumentError } from 'commander';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';

/** A command of `relay local-workspace`, with the options that all of them have. */
export function subcommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--data <folder>', "the local workspace's data folder")
    .option('--json', 'one JSON value on one line', false);
}

/** Reads an option that is a whole number between two bounds, both included. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** Reads an option that is a workspace's GUID. */
export function toWorkspace(text: string): WorkspaceId {
  const id = readWorkspaceId(text);
  if (id) return id;
  throw new InvalidArgumentError('It must be a GUID such as 3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f.');
}

/** Reads an option that is a time; as ISO 8601, UTC. */
export function toTime(text: string): string {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new InvalidArgumentError('It must be a time such as 2026-11-23T08:00:00Z.');
}

/** Aborted by Ctrl-C or SIGTERM. */
export function untilSignalled(): AbortSignal {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  return ended.signal;
}
