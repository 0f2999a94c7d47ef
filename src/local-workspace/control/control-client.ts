import { request } from 'node:http';
import { join } from 'node:path';
import { type ErrorCode, RelayError } from '../../errors.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** The socket on which a running local workspace takes orders. */
export function controlPath(dataFolder: string): string {
  return join(dataFolder, 'control.sock');
}

/**
 * Asks the local workspace that runs on this data folder; its answer's JSON. Throws `relay.control.not-running` when there is none,
 * `relay.control.no-answer` after ten seconds, and what it refuses under the code it gives.
 */
export async function askControl(dataFolder: string, asked: ControlRequest): Promise<unknown> {
  const { status, text } = await exchange(dataFolder, asked);
  const answer = parse(text);
  if (status >= 200 && status < 300) return answer;
  const error = (answer as { error?: { code?: string; message?: string } } | undefined)?.error;
  throw new RelayError((error?.code ?? 'relay.control.failed') as ErrorCode, error?.message ?? `The local workspace answered ${status} to ${asked.path}.`);
}

function exchange(dataFolder: string, asked: ControlRequest): Promise<{ status: number; text: string }> {
  const socketPath = controlPath(dataFolder);
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
    // The length is said, for Node leaves it out with DELETE.
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ socketPath, method: asked.method, path: asked.path, headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
        chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', (cause) => reject(noAnswer(socketPath, cause)));
    });
    sent.on('error', (cause: NodeJS.ErrnoException) => reject(isNobody(cause) ? notRunning(dataFolder, cause) : noAnswer(socketPath, cause)));
    sent.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isNobody(cause: NodeJS.ErrnoException): boolean {
  return cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED';
}

function notRunning(dataFolder: string, cause: Error): RelayError {
  return new RelayError(
    'relay.control.not-running',
    `No local workspace runs on ${dataFolder}. Start one with: relay local-workspace start --data ${dataFolder}`,
    { cause },
  );
}

function noAnswer(socketPath: string, cause: Error): RelayError {
  return new RelayError('relay.control.no-answer', `The local workspace behind ${socketPath} did not answer. Look at its log, or restart it.`, { cause });
}
