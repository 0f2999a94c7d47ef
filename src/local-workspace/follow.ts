import { setTimeout as pause } from 'node:timers/promises';
import { MAX_QUERY_RECORDS, type RecordFilter, type StoredRecord, type StoreReader } from './store-reader.ts';

const FIRST_RECORDS = 10;
const PERIOD_MS = 500;

/** Shows the last ten records that match, then each as it comes (looked for twice a second), until `signal` is aborted. */
export async function followRecords(
  reader: StoreReader,
  filter: Omit<RecordFilter, 'limit'>,
  show: (record: StoredRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const first = reader.newest({ ...filter, limit: FIRST_RECORDS });
  first.forEach(show);
  // Without a match there may still be records, but none of them is to be shown.
  let seq = first.at(-1)?.seq ?? 0;
  while (!signal.aborted) {
    const page = reader.following(seq, { ...filter, limit: MAX_QUERY_RECORDS });
    page.forEach(show);
    seq = page.at(-1)?.seq ?? seq;
    await pause(PERIOD_MS, undefined, { signal }).catch(() => {});
  }
}
