/**
 * A transport that offers a batch again in parts when it is refused for its content, until the bad records are alone. Each part is a batch of its
 * own: its id follows from the whole's, so that the same part is known for a repeat wherever it comes by.
 *
 * When the workspace goes away in the middle, the whole is tried again later, and the search goes on where it was: what was delivered is not sent
 * twice. A process that ends in the middle begins anew.
 */
import { hash } from 'node:crypto';
import type { Batch } from '../batch/batch.ts';
import { type BatchId, partId } from '../batch/batch-id.ts';
import type { Refused, Retry, Split, Verdict } from '../batch/verdict.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { BATCH_PART_HEADER } from '../oms-protocol/upload-headers.ts';
import type { OpenedRecords, RecordOpener } from './record-opener.ts';
import { createSearch, type RecordRange, type Search } from './search.ts';
import type { Transport } from './transport.ts';
import { createTurns } from './turns.ts';

/** Refusals that may be about some of the records. The others, such as a wrong encoding, are about all. */
const ABOUT_RECORDS = new Set([400, 413, 422]);
/** Batches of one workspace that are split at the same time: each is in memory, inflated. */
const AT_ONCE = 4;
/** Then what is not settled goes on at the next try, so that good data gets its turn. */
const MAX_MS = 60_000;
/** Searches that are remembered until their batch is offered again. */
const MAX_REMEMBERED = 256;

export interface SplittingParts {
  readonly transport: Transport;
  readonly opener: RecordOpener;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each part that is offered, with the length of its body. */
  readonly onPart: (bytes: number) => void;
}

/** How long a batch may be taken apart. */
interface Term {
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** Whether nothing more may begin. */
  isOver(): boolean;
}

interface Remembered {
  readonly search: Search;
  readonly receivedAt: number;
  readonly sha256: string;
}

export function createSplittingTransport({ transport, opener, clock, log, onPart }: SplittingParts): Transport {
  /** Searches begun, finished ones too: a batch whose dead letters could not be written is offered again. */
  const remembered = new Map<BatchId, Remembered>();
  const inTurn = createTurns(AT_ONCE);

  const recall = (batch: Batch): Search | undefined => {
    const found = remembered.get(batch.id);
    // A sender may use an id again, for other bytes or after its batch was dealt with.
    return found?.receivedAt === batch.receivedAt && found.sha256 === hash('sha256', batch.body) ? found.search : undefined;
  };

  const begin = (batch: Batch, records: number, refusal: Refused): Search => {
    const search = createSearch(records, refusal);
    remembered.delete(batch.id);
    remembered.set(batch.id, { search, receivedAt: batch.receivedAt, sha256: hash('sha256', batch.body) });
    for (const oldest of remembered.keys()) {
      if (remembered.size <= MAX_REMEMBERED) break;
      remembered.delete(oldest);
    }
    return search;
  };

  const split = async (batch: Batch, how: Refused | Search, term: Term): Promise<Verdict> => {
    if (term.isOver()) return retryLater(NO_TIME);
    const opened = await opener.open(batch);
    if ('unreadable' in opened) {
      return isSearch(how) ? retryLater(opened.unreadable) : { ...how, answer: `${how.answer} [kept whole: ${opened.unreadable}]` };
    }
    try {
      if (!isSearch(how) && opened.records < 2) return how;
      return await searchIn(batch, opened, isSearch(how) ? how : begin(batch, opened.records, how), term);
    } finally {
      opened.close();
    }
  };

  const searchIn = async (batch: Batch, opened: OpenedRecords, search: Search, term: Term): Promise<Retry | Split> => {
    for (let range = search.next(); range; range = search.next()) {
      if (term.isOver()) return retryLater(NO_TIME);
      const part = await partOf(batch, opened, range);
      onPart(part.body.length);
      const [verdict] = await transport.offer([part], term.signal);
      if (verdict?.outcome === 'delivered') search.delivered();
      else if (verdict?.outcome === 'refused') search.refused(verdict);
      else return verdict?.outcome === 'retry' ? verdict : NO_VERDICT;
    }
    const refused = [];
    for (const { from, to, status, answer } of search.refusedRanges) {
      refused.push({ batch: await partOf(batch, opened, { from, to }), records: to - from, status, answer });
    }
    const facts = {
      workspaceId: batch.workspaceId,
      batchId: batch.id,
      agentId: batch.agentId,
      records: opened.records,
      requests: search.requests(),
      refused: refused.length,
    };
    log.info(facts, 'a batch that was refused was offered in parts; what was refused of it is set apart');
    return { outcome: 'split', deliveredRecords: search.deliveredRecords(), refused };
  };

  const settle = async (batch: Batch, known: Verdict | Search, term: Term): Promise<Verdict> => {
    if (!isToSplit(known)) return known;
    try {
      return await inTurn(() => split(batch, known, term));
    } catch (error) {
      return retryLater(messageOf(error));
    }
  };

  const settleAll = async (batches: readonly Batch[], known: readonly (Verdict | Search)[], signal: AbortSignal): Promise<Verdict[]> => {
    let isOver = false;
    const cancel = clock.after(MAX_MS, () => {
      isOver = true;
    });
    const term: Term = { signal, isOver: () => isOver || signal.aborted };
    return await Promise.all(batches.map((batch, at) => settle(batch, known[at] ?? NO_VERDICT, term))).finally(cancel);
  };

  return {
    async offer(batches, signal) {
      const begun = batches.map((batch) => recall(batch));
      const whole = batches.filter((_, at) => begun[at] === undefined);
      const verdicts = whole.length > 0 ? [...(await transport.offer(whole, signal))] : [];
      const known = begun.map((search) => search ?? verdicts.shift() ?? NO_VERDICT);
      return isSettled(known) ? known : await settleAll(batches, known, signal);
    },
    close: () => transport.close(),
  };
}

/** Some records of a batch as a batch of its own. */
export async function partOf(batch: Batch, opened: OpenedRecords, { from, to }: RecordRange): Promise<Batch> {
  const headers = { ...batch.origin.headers, [BATCH_PART_HEADER]: `${batch.id} ${from + 1}-${to}` };
  return { ...batch, id: partId(batch.id, from, to), origin: { ...batch.origin, headers }, body: await opened.part(from, to) };
}

function isToSplit(known: Verdict | Search): known is Refused | Search {
  return isSearch(known) || (known.outcome === 'refused' && ABOUT_RECORDS.has(known.status));
}

function isSettled(known: readonly (Verdict | Search)[]): known is Verdict[] {
  return !known.some(isToSplit);
}

function isSearch(value: Verdict | Search): value is Search {
  return 'next' in value;
}

function retryLater(reason: string): Retry {
  return { outcome: 'retry', scope: 'batch', reason };
}

const NO_VERDICT: Retry = retryLater('the transport gave no verdict');
const NO_TIME = 'looking for the records that are refused takes long; it goes on with the next try';
