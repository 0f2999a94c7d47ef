import { request } from 'node:http';
import { RelayError } from '../errors.ts';
import type { Refusal } from './api.ts';
import { OPERATOR_HEADER, operatorHeader } from './operator.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** How a question is asked. */
export interface AskOptions {
  /** Once aborted, nobody waits for the answer any more: `relay.control.no-answer`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the running relay over its Unix socket. Throws `relay.control.not-running` when nobody listens, `relay.control.no-answer`
 * when it fell silent, `relay.command.refused` with the relay's own reason.
 */
export async function ask<T>(socket: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown, options: AskOptions = {}): Promise<T> {
  const { status, text } = await exchange(socket, method, path, body, options);
  const value = parse(text, socket);
  if (status < 400) return value as T;
  const refusal = value as Partial<Refusal>;
  throw new RelayError('relay.command.refused', refusal.error?.message ?? `The relay answered ${status}.`);
}

function exchange(socketPath: string, method: string, path: string, body: unknown, { signal }: AskOptions): Promise<{ status: number; text: string }> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const ofContent = content === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
    const headers = { [OPERATOR_HEADER]: operatorHeader(), ...ofContent };
    const outgoing = request({ socketPath, method, path, headers, timeout: TIMEOUT_MS, ...(signal ? { signal } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      let total = 0;
      response.on('data', (chunk: Buffer) => {
        total += chunk.length;
        if (total > MAX_ANSWER_BYTES) outgoing.destroy(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`));
        chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 500, text: Buffer.concat(chunks).toString() }));
      response.on('error', (cause: Error) => reject(noAnswer(socketPath, cause)));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} seconds`)));
    outgoing.on('error', (cause) => reject(failureOf(socketPath, cause)));
    outgoing.end(content);
  });
}

/** Why a relay could not be asked: nobody listens, or it fell silent. */
export function failureOf(socket: string, cause: Error & { code?: string }): RelayError {
  if (cause.code !== 'EACCES' && cause.code !== 'ENOENT' && cause.code !== 'ECONNREFUSED') return noAnswer(socket, cause);
  const why = cause.code === 'EACCES' ? 'This user may not open its socket; use the relay’s own user or root.' : 'Start it with: relay start';
  return new RelayError('relay.control.not-running', `No relay answers at ${socket}. ${why}`, { cause });
}

function noAnswer(socket: string, cause: Error): RelayError {
  return new RelayError('relay.control.no-answer', `The relay at ${socket} took the command but gave no answer. Its log may tell why.`, { cause });
}

function parse(text: string, socket: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RelayError('relay.control.not-running', `What answers at ${socket} is no relay.`, { cause });
  }
}
