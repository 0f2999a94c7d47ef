/**
 * One sender's connection. Syslog has no acknowledgement: the sender is held back by not reading, so nothing more is read than there is room for.
 * Who it is is asked again for each piece that is read, so that a suspension holds from the next one on.
 */
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../clock.ts';
import { messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Agent } from '../../management-group/agent.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { replyFor } from '../error-replies.ts';
import { type BatchLineParts, createBatchLine } from './batch-line.ts';
import { createFraming } from './framing.ts';
import { readMessage } from './read-message.ts';
import type { SyslogMessage } from './syslog-message.ts';
import { recordOf, textOf } from './syslog-record.ts';

/** How a connection came to its end. */
export const END_REASONS = ['by-sender', 'broken', 'idle', 'bad-frame', 'refused', 'stopped'] as const;
export type EndReason = (typeof END_REASONS)[number];

/** By what messages came to be less than was sent. */
export const TRUNCATIONS = ['too-long', 'cut-off'] as const;

/** Finds senders whose machines are gone without a word. */
const KEEP_ALIVE_MS = 60_000;
/** So long a sender has to notice that the relay stops; many never do, as they do not read. */
const NOTICE_MS = 500;
/** How often a connection that ends is looked at, longer than a round trip. */
const LOOK_EVERY_MS = 100;
/** What waited on the way brings at least so much between two looks; less is the sender's own pace. */
const BACKLOG_BYTES = 64 * 1024;

export interface SyslogConnectionParts extends Omit<BatchLineParts, 'onRoom'> {
  readonly socket: TLSSocket;
  /** Whose connection it is at this moment. Throws why it may not send. */
  readonly mustBeSender: () => Agent;
  readonly maxMessageBytes: number;
  /** Milliseconds without a byte. */
  readonly idleTimeoutMs: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface SyslogConnection {
  /** Resolves when it has ended and all that was read is kept, or was given up. */
  readonly done: Promise<void>;
  /** Messages that were read and are not kept yet. */
  waiting(): number;
  /** Ends it now. Of what the sender had sent, but is not read yet, nothing is taken. */
  refuse(): void;
  /** Tells the sender that it ends, and takes what is under way: until the sender has closed too or nothing more is there, for `graceMs` at most. */
  stop(graceMs: number): void;
  /** Ends the tries to keep what was read. */
  giveUp(): void;
}

export function serveConnection({ socket, mustBeSender, maxMessageBytes, idleTimeoutMs, metrics, log, ...gathering }: SyslogConnectionParts): SyslogConnection {
  const { clock, budget } = gathering;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const address = socket.remoteAddress?.replace(/^::ffff:/i, '') ?? '';
  const counts = new Map<SyslogMessage['format'], number>();
  let sender: Agent | undefined;
  let receivedAt = 0;
  let timestamp = '';
  /** Bytes read so far. */
  let taken = 0;
  let isOver = false;
  let cancelLook = (): void => {};
  let cancelGrace = (): void => {};

  const line = createBatchLine({ ...gathering, onRoom: () => readOn() });
  const framing = createFraming({
    maxMessageBytes,
    onMessage(bytes, isCut) {
      if (!sender || budget.isExhausted()) return metrics.count('syslogLost', {});
      const message = readMessage(textOf(bytes, isCut), receivedAt);
      line.add(JSON.stringify(recordOf(message, { hostName: sender.hostName, address, timestamp })), sender);
      counts.set(message.format, (counts.get(message.format) ?? 0) + 1);
      if (isCut) metrics.count('syslogTruncated', { reason: 'too-long' });
    },
  });
  const tellCounts = (): void => {
    for (const [format, count] of counts) metrics.count('syslogMessages', { format }, count);
    counts.clear();
  };

  // Why it must end, when it must.
  const take = (chunk: Buffer): EndReason | undefined => {
    try {
      sender = mustBeSender();
    } catch (error) {
      noteRefusal(error, address, { metrics, log });
      return 'refused';
    }
    taken += chunk.length;
    receivedAt = clock.now();
    timestamp = new Date(receivedAt).toISOString();
    const wrong = framing.read(chunk);
    tellCounts();
    if (wrong === undefined) return undefined;
    const facts = { agentId: sender.agentId, workspaceId: sender.workspaceId, remoteAddress: address, reason: wrong };
    log.warn(facts, 'a syslog sender broke its framing, so its connection was ended; have it count octets (RFC 5425), or end each message with a line feed');
    return 'bad-frame';
  };
  const takeWhile = (mayRead: () => boolean): EndReason | undefined => {
    while (mayRead()) {
      const chunk = socket.read() as Buffer | null;
      const reason = chunk === null ? undefined : take(chunk);
      if (chunk === null || reason !== undefined) return reason;
    }
    return undefined;
  };
  const readOn = (): void => {
    if (isOver) return;
    const reason = takeWhile(line.hasRoom);
    if (reason !== undefined) end(reason);
  };

  // What this process has read of the sender is taken in any case, but of one that is refused or cannot be understood.
  const end = (given: EndReason): void => {
    if (isOver) return;
    isOver = true;
    const reason = (given === 'refused' || given === 'bad-frame' ? undefined : takeWhile(() => true)) ?? given;
    if (reason !== 'bad-frame' && reason !== 'refused' && framing.end()) metrics.count('syslogTruncated', { reason: 'cut-off' });
    tellCounts();
    cancelLook();
    cancelGrace();
    stopListening();
    socket.destroy();
    metrics.count('syslogEnded', { reason });
    void line.finish().then(resolve);
  };
  const stopListening = budget.onFree(readOn);

  // Between two turns of the event loop all that the kernel holds is read: when nothing was, it holds nothing.
  const endWhenAllIsTaken = (before: number): void => {
    const atLook = taken;
    const look = (): void => {
      if (isOver) return;
      const isAllTaken = line.hasRoom() && taken === atLook && taken - before < BACKLOG_BYTES;
      if (isAllTaken) end('stopped');
      else cancelLook = clock.after(LOOK_EVERY_MS, () => endWhenAllIsTaken(atLook));
    };
    setImmediate(() => setImmediate(look));
  };

  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // Where the relay itself does not read, the sender cannot be idle.
  socket.setTimeout(idleTimeoutMs, () => (line.hasRoom() ? end('idle') : socket.setTimeout(idleTimeoutMs)));
  socket.on('readable', readOn);
  socket.once('end', () => end('by-sender'));
  socket.on('error', () => end('broken'));
  socket.once('close', () => end('broken'));

  return {
    done,
    waiting: line.waiting,
    refuse: () => end('refused'),
    stop(graceMs) {
      socket.end();
      const before = taken;
      cancelLook = clock.after(Math.min(NOTICE_MS, graceMs), () => endWhenAllIsTaken(before));
      cancelGrace = clock.after(graceMs, () => end('stopped'));
    },
    giveUp: line.giveUp,
  };
}

/** Counts and logs a refusal. */
export function noteRefusal(error: unknown, remoteAddress: string | undefined, { metrics, log }: Pick<SyslogConnectionParts, 'metrics' | 'log'>): void {
  const code = error instanceof RelayError ? error.code : 'relay.internal';
  metrics.count('refused', { reason: code });
  log[replyFor(code).level]({ code, remoteAddress }, `a syslog sender was refused: ${messageOf(error)}`);
}
