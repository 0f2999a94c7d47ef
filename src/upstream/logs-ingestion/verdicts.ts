import type { Batch } from '../../batch/batch.ts';
import type { Refused, RefusedPart, Verdict } from '../../batch/verdict.ts';
import { messageOf } from '../../errors.ts';
import type { RecordOpener } from '../record-opener.ts';
import { partOf } from '../splitting.ts';
import type { Memory } from './memory.ts';
import { joinRefused, type RefusedRange } from './ranges.ts';
import type { Ended } from './work.ts';

export interface VerdictParts {
  readonly opener: RecordOpener;
  readonly memory: Memory;
}

/** What the end of a batch means for the cache. What has to be tried again is remembered, so that only the rest is sent then. */
export async function verdictOf(batch: Batch, ended: Ended | Refused, parts: VerdictParts): Promise<Verdict> {
  if ('outcome' in ended) return ended;
  const { records, delivered, retry } = ended;
  const refused = joinRefused(ended.refused);
  if (retry || refused.length > 0) {
    if (delivered.length > 0 || refused.length > 0) parts.memory.remember(batch, { delivered, refused });
  } else parts.memory.forget(batch);
  if (retry) return retry;
  const [first] = refused;
  if (!first) return { outcome: 'delivered' };
  if (first.from === 0 && first.to === records) return { outcome: 'refused', status: first.status, answer: first.answer };
  try {
    const deliveredRecords = delivered.reduce((sum, { from, to }) => sum + to - from, 0);
    return { outcome: 'split', deliveredRecords, refused: await cutOut(batch, refused, parts.opener) };
  } catch (error) {
    return { outcome: 'retry', scope: 'batch', reason: messageOf(error) };
  }
}

async function cutOut(batch: Batch, ranges: readonly RefusedRange[], opener: RecordOpener): Promise<RefusedPart[]> {
  const opened = await opener.open(batch);
  if ('unreadable' in opened) throw new Error(`the refused records could not be set apart: ${opened.unreadable}`);
  try {
    const parts: RefusedPart[] = [];
    for (const range of ranges)
      parts.push({ batch: await partOf(batch, opened, range), records: range.to - range.from, status: range.status, answer: range.answer });
    return parts;
  } finally {
    opened.close();
  }
}
