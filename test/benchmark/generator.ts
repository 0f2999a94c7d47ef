/** The load generator's process: `node generator.ts <plan file>`. Open loop: it sends when a request is due, whatever became of the ones before. */
import { readFile } from 'node:fs/promises';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { uploadHeaders } from '../../src/oms-protocol/upload-headers.ts';
import { createBodies } from './bodies.ts';
import type { LoadEvent, LoadPlan, LoadResult, Shape } from './load.ts';
import { spreadOf } from './percentile.ts';
import { type Exchange, openSender, type PreparedRequest, type Sender } from './sender.ts';

const CONNECTING_AT_ONCE = 8;
const ANSWER_TIMEOUT_MS = 30_000;

const plan = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as LoadPlan;
const leave = (): never => process.exit(1);
process.once('disconnect', leave);
const result = await run(plan);
process.off('disconnect', leave);
// The result is long: it must have left before the channel closes.
tell({ event: 'done', result }, () => process.disconnect());

async function run({ shape, port, trust, identities }: LoadPlan): Promise<LoadResult> {
  const requests = createBodies(shape.bodyBytes).map(prepare);
  const exchanges: Exchange[] = [];
  const connect = async (at: number): Promise<Sender> => {
    const identity = identities[at];
    if (!identity) throw new Error(`the plan has no identity for agent ${at}`);
    const options = { port, trust, identity, timeoutMs: ANSWER_TIMEOUT_MS, onExchange: (exchange: Exchange): void => void exchanges.push(exchange) };
    const sender = await openSender(options);
    // The first one goes at once: it shows that the agent is let in, and a server waits longer on a connection that has been used.
    sender.send(requestFor(requests, at), performance.now());
    return sender;
  };
  const senders = await connectAll(shape.agents, connect);
  await untilAnswered(senders);
  tell({ event: 'connected' });
  const begin = performance.now();
  const measured = { from: begin + shape.warmUpMs, to: begin + shape.warmUpMs + shape.measureMs };
  await sendAll(shape, senders, requests, begin, measured.from);
  tell({ event: 'measured' });
  await untilAnswered(senders);
  for (const sender of senders) sender.close();
  return summarise(exchanges, measured);
}

async function connectAll(agents: number, connect: (at: number) => Promise<Sender>): Promise<Sender[]> {
  const senders: Sender[] = [];
  const worker = async (first: number): Promise<void> => {
    for (let at = first; at < agents; at += CONNECTING_AT_ONCE) senders[at] = await connect(at);
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTING_AT_ONCE, agents) }, (_, first) => worker(first)));
  return senders;
}

/** Sends every request of the plan at its time; resolves at the end of the measuring. */
function sendAll(shape: Shape, senders: readonly Sender[], requests: readonly PreparedRequest[], begin: number, measureFrom: number): Promise<void> {
  const gapMs = shape.everyMs / shape.agents;
  const end = measureFrom + shape.measureMs;
  let sent = 0;
  let measuring = false;
  return new Promise((resolve) => {
    const step = (): void => {
      const now = performance.now();
      if (!measuring && now >= measureFrom) {
        measuring = true;
        tell({ event: 'measuring' });
      }
      for (let dueAt = begin + sent * gapMs; dueAt <= now && dueAt < end; dueAt = begin + sent * gapMs) {
        senders[sent % shape.agents]?.send(requestFor(requests, sent), dueAt);
        sent += 1;
      }
      if (now >= end) resolve();
      else setTimeout(step, Math.min(begin + sent * gapMs, end) - now);
    };
    step();
  });
}

// A sender that is not answered breaks off by itself after its timeout, so this ends.
async function untilAnswered(senders: readonly Sender[]): Promise<void> {
  while (senders.some((sender) => sender.unanswered() > 0)) await new Promise((resolve) => setTimeout(resolve, 10));
}

function summarise(exchanges: readonly Exchange[], { from, to }: { readonly from: number; readonly to: number }): LoadResult {
  const good = exchanges.filter(({ error }) => error === undefined);
  const due = good.filter(({ dueAt }) => dueAt >= from && dueAt < to);
  const answered = good.filter(({ endedAt }) => endedAt >= from && endedAt < to);
  return {
    acknowledged: good.length,
    batchIds: good.flatMap(({ batchId }) => (batchId === undefined ? [] : [batchId])),
    errors: countErrors(exchanges),
    requests: due.length,
    bytes: answered.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0),
    acknowledgement: spreadOf(due.map(({ dueAt, endedAt }) => endedAt - dueAt)),
    lateness: spreadOf(due.map(({ dueAt, sentAt }) => sentAt - dueAt)),
  };
}

function countErrors(exchanges: readonly Exchange[]): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const { error } of exchanges) if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
  return errors;
}

function prepare(body: Buffer): PreparedRequest {
  const facts = {
    userAgent: 'LinuxMonitoringAgent/1.19.0-0',
    version: '1.19.0-0',
    requestId: crypto.randomUUID(),
    retryCount: 0,
    encoding: 'deflate',
  } as const;
  const headers = { host: 'localhost', ...uploadHeaders(facts), 'x-ms-azureregion': 'OnPremise', 'content-length': String(body.length) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${UPLOAD_PATH} HTTP/1.1\r\n${lines.join('')}\r\n`;
  return { bytes: Buffer.concat([Buffer.from(head), body]), bodyBytes: body.length };
}

function requestFor(requests: readonly PreparedRequest[], at: number): PreparedRequest {
  return requests[at % requests.length] as PreparedRequest;
}

function tell(event: LoadEvent, onSent: () => void = () => {}): void {
  process.send?.(event, undefined, undefined, onSent);
}
