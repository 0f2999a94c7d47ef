/**
 * The direct way to a workspace that wants tokens: the Logs Ingestion API. What the queue holds is an upload of the OMS protocol; here it becomes
 * rows of the stream that the relay names for its data type, with a token that the relay hands out for exactly that stream.
 */
import { promisify } from 'node:util';
import { gzip, inflate } from 'node:zlib';
import { z } from 'zod';
import { DIRECT_TOKEN_PATH, type DirectWay } from '../check-in/agent-configuration.ts';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import { BATCH_ID_HEADER } from '../oms-protocol/upload-headers.ts';
import { USER_AGENT } from './agent-version.ts';
import type { Answer, Connection } from './connection.ts';
import { readRefusal } from './refusal.ts';

const inflated = promisify(inflate);
const gzipped = promisify(gzip);

/** A batch of the queue is far smaller; this bounds what a damaged one may become. */
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
/** A token that ends while the request is on its way would be refused. */
const MARGIN_MS = 30_000;

const handedOut = z.object({ token: z.string().min(1).max(16_384), expiresAt: z.number() });
const upload = z.object({ DataType: z.string(), DataItems: z.array(z.record(z.string(), z.unknown())) });

/** Gets a token for a stream; `anew` when the last one was refused. */
export type TokenFor = (stream: string, anew: boolean) => Promise<string>;

export interface TokenPostsParts {
  readonly relay: Pick<Connection, 'post'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Asks the relay for tokens, and keeps each until it ends. Throws `relay.agent.no-token` with what the relay said. */
export function createTokens({ relay, clock }: TokenPostsParts): TokenFor {
  const held = new Map<string, z.infer<typeof handedOut>>();
  return async (stream, anew) => {
    const before = held.get(stream);
    if (before && !anew && clock.now() < before.expiresAt - MARGIN_MS) return before.token;
    held.delete(stream);
    const answer = await relay.post(DIRECT_TOKEN_PATH, { 'content-type': 'application/json', 'user-agent': USER_AGENT }, JSON.stringify({ stream }));
    const found = answer.status === 200 ? handedOut.safeParse(parse(answer.text)) : undefined;
    if (!found?.success) throw noToken(stream, answer);
    held.set(stream, found.data);
    return found.data.token;
  };
}

/** Posts uploads as rows, by a connection to the workspace. Another token is asked for once when one is refused. */
export function postWithToken(connection: Pick<Connection, 'post'>, rule: NonNullable<DirectWay['rule']>, tokenFor: TokenFor): Connection['post'] {
  return async (_, headers, body) => {
    const { DataType: dataType, DataItems: items } = upload.parse(parse((await inflated(body, { maxOutputLength: MAX_INFLATED_BYTES })).toString()));
    const stream = rule.streams[dataType.toUpperCase()];
    if (stream === undefined) throw new RelayError('relay.agent.no-stream', `The relay names no stream for ${dataType}; it waits in the queue.`);
    const batchId = headers[BATCH_ID_HEADER];
    const rows = await gzipped(JSON.stringify(items.map((item) => rowOf(item, batchId))));
    const path = `/dataCollectionRules/${rule.id}/streams/${stream}?api-version=2023-01-01`;
    const send = async (anew: boolean): Promise<Answer> => {
      const authorization = `Bearer ${await tokenFor(stream, anew)}`;
      return await connection.post(path, { authorization, 'content-type': 'application/json', 'content-encoding': 'gzip', 'user-agent': USER_AGENT }, rows);
    };
    const answer = await send(false);
    return answer.status === 401 ? await send(true) : answer;
  };
}

function rowOf(item: Readonly<Record<string, unknown>>, batchId: string | undefined): object {
  const time = item['TimeGenerated'] ?? item['Timestamp'];
  return { ...item, ...(time === undefined ? {} : { TimeGenerated: time }), ...(batchId === undefined ? {} : { RelayBatchId: batchId }) };
}

function noToken(stream: string, answer: Answer): RelayError {
  const { status, reason, message } = readRefusal(answer);
  return new RelayError('relay.agent.no-token', `The relay gave no token for the stream ${stream} (${status} ${reason}: ${message}).`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
