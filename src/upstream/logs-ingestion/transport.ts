/**
 * Transport for the Logs Ingestion API: records become rows of streams, requests are filled from many batches. A batch is delivered when every
 * request that holds records of it is; when only some are, the rest alone is sent at the next try.
 */
import type { Verdict } from '../../batch/verdict.ts';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { RecordOpener } from '../record-opener.ts';
import type { Transport } from '../transport.ts';
import { isSpanTooLong, type Outcome, retry } from './answers.ts';
import { settleAll, takeApart } from './apart.ts';
import { type Collector, createCollector, type Filled } from './collector.ts';
import { createFilling } from './filling.ts';
import { createMemory } from './memory.ts';
import { byWork, type Prepare } from './preparing.ts';
import type { Sender } from './sender.ts';
import type { Stream, Streams } from './streams.ts';
import type { Transformer } from './transformer.ts';
import { verdictOf } from './verdicts.ts';
import { createWork, type Work, type WorkSpan } from './work.ts';

/** How long a request may be taken apart; what is not settled then goes on at the next try. */
const MAX_APART_MS = 60_000;

export interface LogsIngestionParts {
  readonly streams: Streams;
  readonly transformer: Pick<Transformer, 'transform'>;
  readonly prepare: Prepare;
  readonly send: Sender;
  readonly opener: RecordOpener;
  readonly maxInflatedBytes: number;
  /** Offers that come at the same time at most: when all are here, waiting for more is in vain. */
  readonly offersInFlight: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each request that is sent to find records that are refused, with the length of its body. */
  readonly onPart: (bytes: number) => void;
  /** Told of records that the workspace took. */
  readonly onRecords: (records: number) => void;
  /** Closes what is below. */
  readonly close: () => Promise<void>;
}

export function createLogsIngestionTransport(parts: LogsIngestionParts): Transport {
  const { clock, log, transformer, prepare } = parts;
  const memory = createMemory();
  const collectors = new Map<string, Collector>();
  /** Streams whose table turned out to be of the auxiliary plan. */
  const auxiliary = new Set<string>();
  let offers = 0;
  let requests = 0;
  let signal = new AbortController().signal;

  const cutIfFull = (): void => {
    const all = [...collectors.values()];
    if (offers >= parts.offersInFlight && requests === 0 && all.every((one) => one.isIdle())) for (const one of all) one.cut();
  };
  const collectorOf = (stream: Stream): Collector => {
    const plan = auxiliary.has(stream.name) ? 'auxiliary' : stream.plan;
    const key = `${stream.name} ${plan}`;
    let collector = collectors.get(key);
    if (!collector) {
      const onFilled = (filled: Filled): void => void exchange({ ...stream, plan }, filled);
      collector = createCollector({ ...parts, stream: { ...stream, plan }, onFilled, onIdle: cutIfFull });
      collectors.set(key, collector);
    }
    return collector;
  };

  const exchange = async (stream: Stream, { spans, ...filled }: Filled): Promise<void> => {
    requests += 1;
    try {
      const outcome = await parts.send({ stream: stream.name, ...filled }, signal);
      if (outcome.outcome === 'refused') await apart(stream, spans, outcome);
      else settleAll(spans, outcome);
    } catch (error) {
      // Nobody waits for this: what was left here would never be offered again.
      for (const { work } of spans) work.fail(retry('batch', messageOf(error)));
    } finally {
      requests -= 1;
    }
    cutIfFull();
  };

  const apart = async (stream: Stream, spans: readonly WorkSpan[], refusal: Extract<Outcome, { outcome: 'refused' }>): Promise<void> => {
    if (stream.plan !== 'auxiliary' && isSpanTooLong(refusal)) {
      auxiliary.add(stream.name);
      log.warn({ stream: stream.name }, 'the table of a stream takes half an hour of records in one request; say "plan: auxiliary" in ingestion.streams');
      return settleAll(spans, { ...retry('batch', refusal.answer), retryAfterMs: 1_000 });
    }
    let isOver = false;
    const cancel = clock.after(MAX_APART_MS, () => {
      isOver = true;
    });
    const offer = (some: readonly WorkSpan[]): Promise<Outcome> => offerAgain(stream, some);
    await takeApart(inOrder(spans), refusal, { offer, isOver: () => isOver || signal.aborted }).finally(cancel);
    log.info({ stream: stream.name, batches: byWork(spans).size, answer: refusal.answer }, 'a request that was refused was taken apart');
  };

  // Never more than was in one request: the same records fill one again, or a little more than one.
  const offerAgain = async (stream: Stream, spans: readonly WorkSpan[]): Promise<Outcome> => {
    const grouped = [...byWork(spans)];
    const batches = grouped.map(([{ batch }, only]) => prepare(batch, only));
    const isAuxiliary = stream.plan === 'auxiliary';
    try {
      const { pieces } = await transformer.transform({ batches, isAuxiliary, maxBytes: parts.maxInflatedBytes });
      const filling = createFilling(isAuxiliary);
      for (const piece of pieces) if (!filling.add(piece, [])) return { outcome: 'refused', status: 413, answer: 'too much for one request' };
      const body = filling.body();
      parts.onPart(body.length);
      return await parts.send({ stream: stream.name, body, encoding: 'gzip', rawBytes: filling.rawBytes() }, signal);
    } catch (error) {
      return retry('batch', String(error));
    }
  };

  const begin = (works: readonly Work[]): void => {
    const byStream = Map.groupBy(works, ({ batch }) => {
      const found = parts.streams(batch);
      return found.found ? `${found.stream.name} ${found.stream.plan}` : '';
    });
    for (const together of byStream.values()) {
      const [first] = together;
      const found = first && parts.streams(first.batch);
      if (found?.found) collectorOf(found.stream).add(together);
      else for (const work of together) work.fail(retry('batch', found?.reason ?? 'no stream'));
    }
  };

  return {
    async offer(batches, given) {
      signal = given;
      offers += 1;
      const works = batches.map((batch) => createWork(batch, memory.recall(batch), parts.onRecords));
      begin(works);
      const verdicts = await Promise.all(
        works.map(async (work): Promise<Verdict> => verdictOf(work.batch, await work.ended, { opener: parts.opener, memory })),
      );
      offers -= 1;
      return verdicts;
    },
    close: parts.close,
  };
}

/** Batch by batch, neighbouring records of one batch together. */
function inOrder(spans: readonly WorkSpan[]): WorkSpan[] {
  return [...byWork(spans)].flatMap(([work, own]) => {
    const joined: WorkSpan[] = [];
    for (const { from, to } of own.toSorted((a, b) => a.from - b.from)) {
      const last = joined.at(-1);
      if (last?.to === from) joined.splice(-1, 1, { work, from: last.from, to });
      else joined.push({ work, from, to });
    }
    return joined;
  });
}
