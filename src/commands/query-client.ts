import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { controlPath } from '../local-workspace/control/control-client.ts';
import { MAX_ANSWER_BYTES, QUEUE_TIMEOUT_MS } from '../local-workspace/query/api/limits.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { CommandFailure, EXIT } from './output.ts';
import { type QueryReply, readQueryAnswer } from './query-answer.ts';

/** Where to ask: the running process's own socket, or its HTTPS service. */
export type QueryTarget =
  | { readonly kind: 'socket'; readonly dataFolder: string }
  /** `root`: the certificate in PEM that the server's must lead to; undefined: those that the machine trusts. */
  | { readonly kind: 'https'; readonly url: URL; readonly token: string; readonly root: string | undefined };

export interface Asked {
  readonly workspace: WorkspaceId;
  readonly text: string;
  /** ISO 8601, as the API takes it. */
  readonly timespan: string | undefined;
  /** Seconds, 1 to 600. */
  readonly waitS: number;
}

/** For the way there and back, beyond what the service may take. */
const MARGIN_MS = 30_000;
const MAX_BYTES = MAX_ANSWER_BYTES + 16 * 1024 * 1024;

/** Asks the Query API. Fails with a sentence when nobody answers, or something that is no Query API. */
export async function askQuery(target: QueryTarget, asked: Asked): Promise<QueryReply> {
  const body = JSON.stringify({ query: asked.text, ...(asked.timespan === undefined ? {} : { timespan: asked.timespan }) });
  const path = `/v1/workspaces/${asked.workspace}/query`;
  const signal = AbortSignal.timeout(QUEUE_TIMEOUT_MS + asked.waitS * 1_000 + MARGIN_MS);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), prefer: `wait=${asked.waitS}, include-render=true` };
  const sent = open(target, { method: 'POST', path, headers, agent: false, signal });
  const place = target.kind === 'socket' ? controlPath(target.dataFolder) : target.url.origin;
  let received: { readonly status: number; readonly text: string };
  try {
    received = await exchange(sent, body);
  } catch (cause) {
    if (target.kind === 'socket' && isNobody(cause)) {
      const words = `No local workspace runs on ${target.dataFolder}. Start one with: relay local-workspace start --data ${target.dataFolder}`;
      throw new CommandFailure(EXIT.notRunning, words);
    }
    throw new CommandFailure(EXIT.notRunning, `${place} did not answer. Check that the local workspace runs there.`, { cause });
  }
  const reply = readQueryAnswer(received.status, received.text);
  if (reply) return reply;
  throw new CommandFailure(EXIT.failed, `${place} answered ${received.status}, which is no answer of the Query API. Check the address.`);
}

function isNobody(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}

function open(target: QueryTarget, options: RequestOptions & { headers: Record<string, string | number> }): ClientRequest {
  if (target.kind === 'socket') return httpRequest({ ...options, socketPath: controlPath(target.dataFolder) });
  const headers = { ...options.headers, authorization: `Bearer ${target.token}` };
  const ca = target.root === undefined ? {} : { ca: target.root };
  // URL writes an IPv6 address in brackets, the socket wants it without.
  const host = target.url.hostname.replace(/^\[(.*)\]$/, '$1');
  return httpsRequest({ ...options, ...ca, headers, host, port: target.url.port || 443 });
}

function exchange(sent: ClientRequest, body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) response.destroy(new Error(`the answer is larger than ${MAX_BYTES} bytes`));
        chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', reject);
    });
    sent.end(body);
  });
}
