import { access, constants } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Collector, Put } from '../collecting.ts';
import { SYSTEM_LOG } from '../instructions.ts';
import { createJournal, hasJournal } from './journal.ts';
import { openKernelMessages } from './kernel-messages.ts';
import { createLogFiles, DEFAULT_LOG_FILES } from './log-files.ts';
import { openPositions, type PositionStore } from './log-positions.ts';
import type { LogSource } from './log-source.ts';

/** Chunks queued in one look; the rest waits for the next, so that stopping is never far away. */
const MAX_CHUNKS = 50;

export interface SystemLogOptions {
  /** `auto` takes the journal if it holds entries, else the files that exist, else the kernel's messages. */
  readonly source: 'auto' | 'journal' | 'files' | 'kernel' | 'none';
  readonly files: readonly string[];
  /** Lines sent at the first run, per file. */
  readonly firstLines: number;
  /** The program that reads the journal. */
  readonly journalctl: string;
  /** The kernel's messages. */
  readonly kernelMessages: string;
}

export const SYSTEM_LOG_DEFAULTS: SystemLogOptions = {
  source: 'auto',
  files: DEFAULT_LOG_FILES,
  firstLines: 200,
  journalctl: 'journalctl',
  kernelMessages: '/dev/kmsg',
};

export interface SystemLogParts {
  /** The agent's data folder, which remembers the positions. */
  readonly folder: string;
  readonly hostName: string;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Sends the machine's system log lines. A position moves only when its lines are on disk in the queue. */
export function createSystemLogCollector(options: SystemLogOptions, parts: SystemLogParts): Collector {
  let source: LogSource | undefined;
  return {
    name: 'system-log',
    solution: SYSTEM_LOG,
    everyMs: parts.everyMs,
    async collect(put) {
      source ??= await openSource(options, parts);
      await drain(source, put);
    },
    async close() {
      await source?.close();
    },
  };
}

async function drain(source: LogSource, put: Put): Promise<void> {
  for (let chunks = 0; chunks < MAX_CHUNKS; chunks += 1) {
    const chunk = await source.next();
    if (!chunk) return;
    if (chunk.records.length > 0) await put({ dataType: 'LINUX_SYSLOGS_BLOB', solution: 'LogManagement', records: chunk.records });
    await chunk.commit();
  }
}

async function openSource(options: SystemLogOptions, parts: SystemLogParts): Promise<LogSource> {
  const name = options.source === 'auto' ? await choose(options) : options.source;
  const positions = await openPositions(parts.folder);
  const source = await openNamed(name, options, { ...parts, positions });
  parts.log.info({ source: name }, 'reading the system log');
  return source;
}

async function choose(options: SystemLogOptions): Promise<'journal' | 'files' | 'kernel'> {
  if (await hasJournal(options.journalctl)) return 'journal';
  if ((await Promise.all(options.files.map(isReadable))).includes(true)) return 'files';
  if (await isReadable(options.kernelMessages)) return 'kernel';
  throw new RelayError(
    'relay.agent.no-system-log',
    `This machine has no journal with entries, none of the log files (${options.files.join(', ')}) and no readable ${options.kernelMessages}. Give the agent's user the right to read one of them.`,
  );
}

async function openNamed(
  name: 'journal' | 'files' | 'kernel' | 'none',
  options: SystemLogOptions,
  parts: SystemLogParts & { positions: PositionStore },
): Promise<LogSource> {
  const { firstLines } = options;
  switch (name) {
    case 'journal':
      return createJournal({ ...parts, firstLines, command: options.journalctl });
    case 'files':
      return createLogFiles({ ...parts, firstLines, paths: options.files });
    case 'kernel':
      return await openKernelMessages({ ...parts, firstLines, path: options.kernelMessages });
    case 'none':
      return NOTHING;
  }
}

const NOTHING: LogSource = { name: 'files', next: () => Promise.resolve(undefined), close: () => Promise.resolve() };

async function isReadable(path: string): Promise<boolean> {
  return await access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
