/**
 * Fills requests to one stream from the batches that are on their way at this moment, whichever offer they came with. A request leaves when it is
 * full, or when nothing more came for a moment: an idle site's batch waits for `QUIET_MS`, one that others follow in a trickle for `MAX_IDLE_MS`.
 * Time in which batches are being worked on does not count, so that a backlog makes full requests on a slow machine too.
 */
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { type Outcome, retry } from './answers.ts';
import { createFilling, type Filling } from './filling.ts';
import { MAX_REQUEST_BYTES } from './limits.ts';
import { type Prepare, unsettled } from './preparing.ts';
import type { Stream } from './streams.ts';
import type { Transformed } from './transform.ts';
import type { Transformer } from './transformer.ts';
import type { Work, WorkSpan } from './work.ts';

const QUIET_MS = 200;
const MAX_IDLE_MS = 1_000;

/** What leaves: a body with the records that are in it. */
export interface Filled {
  readonly body: Buffer;
  readonly encoding: 'gzip' | 'identity';
  readonly rawBytes: number;
  readonly spans: readonly WorkSpan[];
}

export interface CollectorParts {
  readonly stream: Stream;
  readonly transformer: Pick<Transformer, 'transform'>;
  readonly prepare: Prepare;
  /** Bounds an inflated body. */
  readonly maxInflatedBytes: number;
  readonly clock: Clock;
  /** Takes what leaves. */
  readonly onFilled: (filled: Filled) => void;
  /** Told when nothing is being worked on. */
  readonly onIdle: () => void;
}

export interface Collector {
  /** Works on batches; each is settled by what becomes of its requests. */
  add(works: readonly Work[]): void;
  /** Lets leave what there is. */
  cut(): void;
  isIdle(): boolean;
}

export function createCollector(parts: CollectorParts): Collector {
  const { stream, clock } = parts;
  const isAuxiliary = stream.plan === 'auxiliary';
  let filling: Filling | undefined;
  let pending = 0;
  let idleMs = 0;
  let idleSince = 0;
  let cancelCut = (): void => {};

  const cut = (): void => {
    cancelCut();
    idleMs = 0;
    idleSince = clock.now();
    const leaving = filling;
    filling = undefined;
    if (leaving) parts.onFilled(asItCame(leaving) ?? { body: leaving.body(), encoding: 'gzip', rawBytes: leaving.rawBytes(), spans: leaving.spans });
  };
  const append = (piece: Transformed['pieces'][number], works: readonly Work[]): void => {
    const spans = piece.spans.flatMap(({ batch, from, to }) => spanOf(works[batch], from, to));
    if (filling?.add(piece, spans)) return;
    cut();
    filling = createFilling(isAuxiliary);
    filling.add(piece, spans);
  };
  const take = ({ pieces, batches }: Transformed, works: readonly Work[]): void => {
    for (const [at, work] of works.entries()) begin(work, batches[at]);
    const whole = new Set(works.filter((work) => isWorthARequest(work)));
    for (const piece of pieces) {
      const [first] = piece.spans;
      const work = first && works[first.batch];
      if (!work || !whole.has(work)) append(piece, works);
    }
    for (const work of whole) parts.onFilled(wholeOf(work));
  };
  const rest = (): void => {
    idleSince = clock.now();
    if (filling) cancelCut = clock.after(Math.max(0, Math.min(QUIET_MS, MAX_IDLE_MS - idleMs)), cut);
    parts.onIdle();
  };

  const work = async (works: readonly Work[]): Promise<void> => {
    const task = { batches: works.map((one) => parts.prepare(one.batch, unsettled(one))), isAuxiliary, maxBytes: parts.maxInflatedBytes };
    try {
      take(await parts.transformer.transform(task), works);
    } catch (error) {
      if (works.length > 1) await Promise.all(works.map((one) => work([one])));
      else works[0]?.fail(retry('batch', messageOf(error)));
    }
  };

  return {
    add(works) {
      cancelCut();
      if (pending === 0 && filling) idleMs += clock.now() - idleSince;
      pending += 1;
      void work(works).finally(() => {
        pending -= 1;
        if (pending === 0) rest();
      });
    },
    cut,
    isIdle: () => pending === 0,
  };
}

/** Bytes of the body inflated, of batches that the service takes as they came. */
const fitBytes = new WeakMap<Work, number>();

function begin(work: Work, batch: Transformed['batches'][number] | undefined): void {
  if (!batch || batch.unreadable !== undefined) {
    work.fail({ outcome: 'refused', status: 400, answer: `${batch?.unreadable ?? 'no answer of the thread'}; the relay did not send it` });
    return;
  }
  if (batch.fitBytes !== undefined) fitBytes.set(work, batch.fitBytes);
  work.begin(batch.records);
  for (const { record, status, reason } of batch.bad) work.settle({ from: record, to: record + 1 }, refusedBy(status, reason));
}

function refusedBy(status: number, answer: string): Outcome {
  return { outcome: 'refused', status, answer };
}

function isWorthARequest(work: Work): boolean {
  const { encoding } = work.batch.origin;
  return fitBytes.has(work) && encoding === 'gzip' && work.batch.body.length >= MAX_REQUEST_BYTES / 2;
}

// A request of one batch alone that the service takes as it came.
function asItCame({ spans }: Filling): Filled | undefined {
  const [first] = spans;
  const records = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  if (!first || !fitBytes.has(first.work) || records !== first.work.records()) return undefined;
  return spans.every(({ work }) => work === first.work) ? { ...wholeOf(first.work), spans } : undefined;
}

function wholeOf(work: Work): Filled {
  const { body, origin } = work.batch;
  const encoding = origin.encoding === 'gzip' ? 'gzip' : 'identity';
  return { body, encoding, rawBytes: fitBytes.get(work) ?? body.length, spans: [{ work, from: 0, to: work.records() }] };
}

function spanOf(work: Work | undefined, from: number, to: number): WorkSpan[] {
  return work ? [{ work, from, to }] : [];
}
