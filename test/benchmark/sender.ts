/**
 * One agent of the load: HTTP by hand on a TLS connection that stays open, so that the generator costs little beside what it measures. A
 * request that falls due while the one before is not answered waits; its time runs from when it was due (no coordinated omission).
 */
import { connect, type TLSSocket } from 'node:tls';
import type { Identity } from '../../src/authority/agent-identity.ts';
import { BATCH_ID_HEADER } from '../../src/oms-protocol/upload-headers.ts';

const MAX_ANSWER_CHARS = 64 * 1024;
const BATCH_ID = new RegExp(`^${BATCH_ID_HEADER}: *(\\S+)`, 'im');

/** A whole request, head and body. */
export interface PreparedRequest {
  readonly bytes: Buffer;
  readonly bodyBytes: number;
}

/** How one request went. All times as `performance.now()` has them. */
export interface Exchange {
  readonly dueAt: number;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly bodyBytes: number;
  /** Undefined when it was answered with 200. */
  readonly error: string | undefined;
  readonly batchId: string | undefined;
}

export interface Sender {
  /** Sends it now, or as soon as those before it are answered. */
  send(request: PreparedRequest, dueAt: number): void;
  /** Requests without an answer. */
  unanswered(): number;
  close(): void;
}

export interface SenderOptions {
  readonly port: number;
  readonly trust: string;
  readonly identity: Identity;
  readonly timeoutMs: number;
  readonly onExchange: (exchange: Exchange) => void;
}

interface Sent {
  readonly request: PreparedRequest;
  readonly dueAt: number;
  readonly sentAt: number;
}

/** Connects; rejects when there is no TLS connection in time. */
export async function openSender(options: SenderOptions): Promise<Sender> {
  const socket = await openSocket(options);
  const waiting: Pick<Sent, 'request' | 'dueAt'>[] = [];
  let running: Sent | undefined;
  let answer = '';
  let broken: string | undefined;

  const end = (error: string | undefined, batchId?: string): void => {
    if (!running) return;
    const { request, dueAt, sentAt } = running;
    running = undefined;
    answer = '';
    options.onExchange({ dueAt, sentAt, endedAt: performance.now(), bodyBytes: request.bodyBytes, error, batchId });
    next();
  };

  const next = (): void => {
    const due = waiting.shift();
    if (!due) return;
    running = { ...due, sentAt: performance.now() };
    if (broken === undefined) socket.write(due.request.bytes);
    else end(broken);
  };

  const breakOff = (why: string): void => {
    broken ??= why;
    socket.destroy();
    end(broken);
  };

  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    const read = readAnswer(answer);
    if (read === 'more') return;
    if (read === 'unreadable' || !running) breakOff('an answer that cannot be read');
    else if (read.closes) {
      broken = 'the server closed the connection';
      end(read.status === 200 ? undefined : `HTTP ${read.status}`, read.batchId);
    } else end(read.status === 200 ? undefined : `HTTP ${read.status}`, read.batchId);
  });
  socket.setTimeout(options.timeoutMs, () => running && breakOff(`no answer in ${options.timeoutMs} ms`));
  socket.on('error', (error: Error & { code?: string }) => breakOff(error.code ?? error.message));
  socket.on('close', () => breakOff('the server closed the connection'));

  return {
    send(request, dueAt) {
      waiting.push({ request, dueAt });
      if (!running) next();
    },
    unanswered: () => waiting.length + (running ? 1 : 0),
    close: () => socket.destroy(),
  };
}

function openSocket({ port, trust, identity, timeoutMs }: SenderOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: trust, cert: identity.certificate, key: identity.privateKey });
    const late = (): void => void socket.destroy(new Error(`no TLS connection in ${timeoutMs} ms`));
    socket.setTimeout(timeoutMs, late);
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('timeout', late);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

type Answer = { readonly status: number; readonly closes: boolean; readonly batchId: string | undefined };

// As much of HTTP/1.1 as these servers use: a status line, headers, a body of known length.
function readAnswer(text: string): Answer | 'more' | 'unreadable' {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return text.length > MAX_ANSWER_CHARS ? 'unreadable' : 'more';
  const head = text.slice(0, headEnd);
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (status === undefined || (length === undefined && status !== '204')) return 'unreadable';
  if (text.length < headEnd + 4 + Number(length ?? 0)) return 'more';
  return { status: Number(status), closes: /^connection: *close/im.test(head), batchId: BATCH_ID.exec(head)?.[1] };
}
