/** One request over a TLS connection of its own, with the root certificate of the local workspace alone. */
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { Listening } from '../../../src/local-workspace/local-workspace.ts';
import type { WorkspaceId } from '../../../src/workspace/workspace-id.ts';

export interface Wanted {
  /** POST with a body, GET without. */
  readonly method?: string;
  readonly path: string;
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON it is. */
  readonly json: unknown;
  /** What it refuses: `409 ScopeLocked`; else the status. */
  readonly word: string;
}

export function ask({ port, rootPem }: Pick<Listening, 'port' | 'rootPem'>, { method, path, token, body }: Wanted): Promise<Answer> {
  const sentBody = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(sentBody === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sentBody) }),
  };
  const server = { host: '127.0.0.1', port, servername: 'localhost', ca: rootPem, agent: false } as const;
  return new Promise((resolve, reject) => {
    const sent = request({ ...server, method: method ?? (body === undefined ? 'GET' : 'POST'), path, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(pieces).toString())));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(sentBody);
  });
}

/** A question to the Query API. */
export function question(workspace: WorkspaceId, query: string, token: string): Wanted {
  return { path: `/v1/workspaces/${workspace}/query`, token, body: { query } };
}

/** The rows of an answer of the Query API. */
export function rowsOf({ status, text, json }: Answer): unknown[][] {
  if (status === 204) return [];
  if (status !== 200) throw new Error(`the query was answered with ${status}: ${text}`);
  return (json as { readonly tables: readonly [{ readonly rows: unknown[][] }] }).tables[0].rows;
}

function answerOf(status: number, headers: IncomingHttpHeaders, text: string): Answer {
  const json = parsed(text);
  const { code } = (json as { readonly error?: { readonly code?: string } } | undefined)?.error ?? {};
  return { status, headers, text, json, word: code === undefined ? String(status) : `${status} ${code}` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
