import { createWriteStream } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { RelayError } from '../errors.ts';
import type { Refusal } from './api.ts';
import { failureOf } from './client.ts';
import { OPERATOR_HEADER, operatorHeader } from './operator.ts';

/** Copying a large database takes a moment, in which the relay says nothing. */
const TIMEOUT_MS = 120_000;
const MOST_BYTES = 4 * 1024 * 1024 * 1024;

/** Asks the running relay for a file, and writes what it answers to `path`, a new file of mode 0600. Throws as `ask`. */
export async function fetchFile(socket: string, { path: command, body }: { readonly path: string; readonly body: unknown }, path: string): Promise<void> {
  const response = await answerTo(socket, command, JSON.stringify(body));
  if (response.statusCode !== 200) throw await refusalIn(response);
  const { 'content-length': bytes = '0' } = response.headers;
  if (Number(bytes) > MOST_BYTES) {
    response.destroy();
    throw new RelayError('relay.control.no-answer', `The relay at ${socket} answers with ${bytes} bytes, more than ${MOST_BYTES}.`);
  }
  try {
    // An answer that ends early fails: its length was told.
    await pipeline(response, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  } catch (cause) {
    throw new RelayError('relay.control.no-answer', `What the relay at ${socket} sent could not be written to ${path} whole.`, { cause });
  }
}

function answerTo(socketPath: string, path: string, content: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { [OPERATOR_HEADER]: operatorHeader(), 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
    const outgoing = request({ socketPath, method: 'POST', path, headers, timeout: TIMEOUT_MS }, resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} seconds`)));
    outgoing.on('error', (cause) => reject(failureOf(socketPath, cause)));
    outgoing.end(content);
  });
}

async function refusalIn(response: IncomingMessage): Promise<RelayError> {
  const said = await text(response).catch(() => '');
  try {
    return new RelayError('relay.command.refused', (JSON.parse(said) as Refusal).error.message);
  } catch {
    return new RelayError('relay.command.refused', `The relay answered ${response.statusCode}.`);
  }
}
