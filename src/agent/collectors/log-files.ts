import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { firstAddress } from '../host.ts';
import { readLogLine } from './log-line.ts';
import type { PositionStore } from './log-positions.ts';
import type { LogChunk, LogSource } from './log-source.ts';
import { readNewLines } from './log-tail.ts';

/** The files that hold system log lines on the usual distributions; the ones that exist are read. */
export const DEFAULT_LOG_FILES: readonly string[] = [
  '/var/log/syslog',
  '/var/log/messages',
  '/var/log/auth.log',
  '/var/log/secure',
  '/var/log/kern.log',
  '/var/log/daemon.log',
  '/var/log/cron.log',
  '/var/log/dpkg.log',
  '/var/log/apt/history.log',
  '/var/log/alternatives.log',
];

export interface LogFilesOptions {
  readonly paths: readonly string[];
  /** Lines taken from the end of each file that is there when the agent first looks; files that appear later are read from their beginning. */
  readonly firstLines: number;
  readonly hostName: string;
  readonly positions: PositionStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Follows log files; which of them exist may change. */
export function createLogFiles(options: LogFilesOptions): LogSource {
  const { paths, firstLines, positions, clock, log } = options;
  const appearedLater = new Set<string>();
  const unreadable = new Set<string>();
  let turn = 0;

  const chunkOf = async (path: string): Promise<LogChunk | undefined> => {
    const position = positions.current.files?.[path] ?? (appearedLater.has(path) ? { inode: 0, offset: 0, mark: '' } : undefined);
    const found = await readNewLines(path, position, { firstLines, now: clock.now() });
    if (!found) {
      appearedLater.add(path);
      return undefined;
    }
    if (found.restLost && positions.current.files?.[path]) log.warn({ path }, 'the log file was rotated or emptied before its last lines were read');
    const context = { path, hostName: options.hostName, address: firstAddress(), now: clock.now() };
    return {
      records: found.lines.map((line) => readLogLine(line, context)),
      commit: () => positions.save({ files: { ...positions.current.files, [path]: found.position } }),
    };
  };
  const readable = async (path: string): Promise<LogChunk | undefined> => {
    try {
      return await chunkOf(path);
    } catch (thrown) {
      if (!unreadable.has(path)) log.warn({ path }, `a log file cannot be read: ${messageOf(thrown)}. Give the agent's user the right to read it`);
      unreadable.add(path);
      return undefined;
    }
  };
  return {
    name: 'files',
    async next() {
      for (let looked = 0; looked < paths.length; looked += 1) {
        // Each file in its turn: a busy one does not keep the others waiting.
        const path = paths[turn % paths.length] ?? '';
        turn += 1;
        const chunk = await readable(path);
        if (chunk) return chunk;
      }
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}
