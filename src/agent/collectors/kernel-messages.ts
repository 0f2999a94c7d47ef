import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { Clock } from '../../clock.ts';
import type { SyslogRecord } from '../../oms-protocol/syslog-record.ts';
import { firstAddress } from '../host.ts';
import type { PositionStore } from './log-positions.ts';
import type { LogChunk, LogSource } from './log-source.ts';
import { cutMessage, priorityOf } from './syslog-message.ts';

const MAX_RECORDS = 1_000;
/** Messages read in one look; the kernel's own buffer holds fewer. */
const MAX_READS = 50_000;
// The kernel refuses to read a message into less.
const MESSAGE_BYTES = 8 * 1024;

export interface KernelMessagesOptions {
  /** `/dev/kmsg`. */
  readonly path: string;
  /** Messages taken at the first run. */
  readonly firstLines: number;
  readonly hostName: string;
  readonly positions: PositionStore;
  readonly clock: Clock;
}

/** A message as the kernel gives it. */
export interface KernelMessage {
  readonly priority: number;
  readonly sequence: number;
  /** Milliseconds since the machine was started. */
  readonly sinceStartMs: number;
  readonly text: string;
}

/** Follows the kernel's own messages (Documentation/ABI/testing/dev-kmsg). Throws when this user may not read them. */
export async function openKernelMessages({ path, firstLines, hostName, positions, clock }: KernelMessagesOptions): Promise<LogSource> {
  const device = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
  let first = positions.current.kernel?.boot !== boot;
  // What has been read from the device and not been committed.
  let waiting: KernelMessage[] = [];

  const recordOf = (message: KernelMessage): SyslogRecord => {
    const { facility, severity } = priorityOf(message.priority);
    const eventTime = clock.now() - uptime() * 1_000 + message.sinceStartMs;
    const times = { Timestamp: new Date(clock.now()).toISOString(), EventTime: new Date(eventTime).toISOString() };
    return { ident: 'kernel', ...times, Host: hostName, HostIP: firstAddress(), Message: cutMessage(message.text), Facility: facility, Severity: severity };
  };
  const chunk = (): LogChunk | undefined => {
    const messages = waiting.slice(0, MAX_RECORDS);
    const newest = messages.at(-1);
    if (!newest) return undefined;
    return {
      records: messages.map(recordOf),
      async commit() {
        waiting = waiting.slice(messages.length);
        await positions.save({ kernel: { boot, sequence: newest.sequence } });
      },
    };
  };
  return {
    name: 'kernel',
    async next() {
      const read = waiting.length < MAX_RECORDS ? await readMessages(device) : [];
      const known = first ? -1 : (positions.current.kernel?.sequence ?? -1);
      waiting.push(...read.filter(({ sequence }) => sequence > known));
      if (first) waiting = firstLines > 0 ? waiting.slice(-firstLines) : [];
      first = false;
      return chunk();
    },
    close: () => device.close(),
  };
}

// Each read gives one message, until there are none (EAGAIN). One that was overwritten before it was read (EPIPE) is gone.
async function readMessages(device: FileHandle): Promise<KernelMessage[]> {
  const messages: KernelMessage[] = [];
  const buffer = Buffer.alloc(MESSAGE_BYTES);
  for (let reads = 0; reads < MAX_READS; reads += 1) {
    try {
      const { bytesRead } = await device.read(buffer, 0, MESSAGE_BYTES, null);
      messages.push(...[readKernelMessage(buffer.toString('utf8', 0, bytesRead))].flatMap((message) => message ?? []));
      if (bytesRead === 0) break;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EAGAIN') break;
      if (code !== 'EPIPE') throw cause;
    }
  }
  return messages;
}

/** Reads one message, such as `6,301,418041,-;text` and perhaps lines with further facts; undefined when it is none. */
export function readKernelMessage(text: string): KernelMessage | undefined {
  const [, priority, sequence, microseconds, message] = /^(\d+),(\d+),(\d+),[^;]*;([^\n]*)/.exec(text) ?? [];
  if (message === undefined) return undefined;
  return { priority: Number(priority), sequence: Number(sequence), sinceStartMs: Number(microseconds) / 1_000, text: message };
}
