import { setTimeout as pause } from 'node:timers/promises';
import { MAX_QUERY_RECORDS, type RecordFilter, type StoredRecord, type StoredRecords } from '../intake/stored-records.ts';

const FIRST_RECORDS = 10;
const PERIOD_MS = 500;

/** Shows the last ten records that match, then each as it comes (looked for twice a second), until `signal` is aborted. */
export async function followRecords(
  records: StoredRecords,
  filter: Omit<RecordFilter, 'limit'>,
  show: (record: StoredRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const first = await records.newest({ ...filter, limit: FIRST_RECORDS });
  first.forEach(show);
  // Without a match there may still be records, but none of them is to be shown.
  let last: Pick<StoredRecord, 'seq' | 'row'> = first.at(-1) ?? { seq: 0, row: 0 };
  while (!signal.aborted) {
    const page = await records.following(last, { ...filter, limit: MAX_QUERY_RECORDS });
    page.forEach(show);
    last = page.at(-1) ?? last;
    await pause(PERIOD_MS, undefined, { signal }).catch(() => {});
  }
}
