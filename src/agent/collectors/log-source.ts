import type { SyslogRecord } from '../../oms-protocol/syslog-record.ts';

/** Lines that have not been queued yet. */
export interface LogChunk {
  /** At most a thousand; none when only the position moved. */
  readonly records: readonly SyslogRecord[];
  /** Remembers that these lines are safely queued. A crash before it means that they are read, and sent, again. */
  commit(): Promise<void>;
}

/** Where system log lines come from. */
export interface LogSource {
  readonly name: 'journal' | 'files' | 'kernel';
  /** The next lines; undefined when there are none now. Does not wait for lines. */
  next(): Promise<LogChunk | undefined>;
  close(): Promise<void>;
}
