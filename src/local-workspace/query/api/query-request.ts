import type { Request } from '@hapi/hapi';
import { z } from 'zod';
import type { Clock } from '../../../clock.ts';
import { readWorkspaceId, type WorkspaceId } from '../../../workspace/workspace-id.ts';
import type { QueryError } from './error-reply.ts';
import { readJson } from './json-body.ts';
import { MAX_QUERY_CHARS } from './limits.ts';
import type { QueryTimespan } from './query-runner.ts';
import { intersection, readTimespan } from './timespan.ts';

/** What a request asks for. */
export interface QueryRequest {
  readonly text: string;
  readonly timespan: QueryTimespan | undefined;
}

export type Read<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: QueryError };

const MAX_WORKSPACES = 100;
const workspaceNames = z.array(z.string().max(500)).max(MAX_WORKSPACES);

/** Fields that the service does not know it passes over, and so do we: its clients send some of their own. */
const bodySchema = z.object({
  query: z.string().max(MAX_QUERY_CHARS),
  timespan: z.string().nullish(),
  workspaces: workspaceNames.nullish(),
});

const querySchema = z.object({
  query: z.string().max(MAX_QUERY_CHARS),
  timespan: z.string().optional(),
  workspaces: z
    .string()
    .transform((text) => text.split(',').filter((name) => name.trim() !== ''))
    .pipe(workspaceNames)
    .optional(),
});

/** A POST may carry a timespan in its query string too: the time that is in both counts (Azure Monitor: "Request format"). */
const urlSchema = z.object({ timespan: z.string().optional() });

/** Reads GET `?query=&timespan=&workspaces=a,b` or the JSON body of a POST. */
export async function readQueryRequest(request: Request, workspaceId: WorkspaceId, clock: Clock): Promise<Read<QueryRequest>> {
  const isPost = request.method === 'post';
  const body = isPost ? await readJson(request, clock) : { ok: true as const, value: request.query as unknown };
  if (!body.ok) return body;
  const read = (isPost ? bodySchema : querySchema).safeParse(body.value);
  if (!read.success) return bad(`${isPost ? 'The body' : 'The query string'} is not what the API takes: ${problemsIn(read.error)}.`);
  const { query: text, timespan, workspaces } = read.data;
  if (text.trim() === '') return bad('query is empty. Write one such as: Heartbeat | count');
  const others = otherWorkspace(workspaces ?? [], workspaceId);
  if (others) return { ok: false, error: others };
  const url = urlSchema.safeParse(isPost ? request.query : {});
  if (!url.success) return bad(`The query string is not what the API takes: ${problemsIn(url.error)}.`);
  return withTimespans(text, [timespan, url.data.timespan], clock.now());
}

function withTimespans(text: string, timespans: readonly (string | null | undefined)[], now: number): Read<QueryRequest> {
  let common: QueryTimespan | undefined;
  for (const each of timespans) {
    if (each === undefined || each === null || each === '') continue;
    const read = readTimespan(each, now);
    if (!read.ok) return { ok: false, error: { error: 'badTimespan', message: read.message } };
    common = intersection(common, read.timespan);
  }
  return { ok: true, value: { text, timespan: common } };
}

function otherWorkspace(names: readonly string[], own: WorkspaceId): QueryError | undefined {
  const other = names.find((name) => readWorkspaceId(name) !== own);
  if (other === undefined) return undefined;
  const message = `workspaces names "${other.slice(0, 80)}", and a query reads the one workspace in the path. Leave workspaces out, and ask each workspace for itself.`;
  return { error: 'crossWorkspace', message };
}

/** The problems on one line; no value of the request is shown. */
export function problemsIn(error: z.ZodError): string {
  return z
    .prettifyError(error)
    .replaceAll(/\s*\n\s*/g, ' ')
    .slice(0, 500);
}

function bad(message: string): { readonly ok: false; readonly error: QueryError } {
  return { ok: false, error: { error: 'badBody', message } };
}
