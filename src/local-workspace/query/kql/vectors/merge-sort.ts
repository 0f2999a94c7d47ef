import type { RowOrder } from './order.ts';

const RUN = 32_768;

/** The numbers from 0 to before `count`, in order; equal rows stay as they were. `pause` is awaited every so many rows, so that a long sort can be ended. */
export async function mergeSort(count: number, order: RowOrder, pause: () => Promise<void>): Promise<Uint32Array> {
  let rows = new Uint32Array(count).map((_, index) => index);
  for (let from = 0; from < count; from += RUN) {
    rows.subarray(from, from + RUN).sort(order);
    await pause();
  }
  let merged = new Uint32Array(count > RUN ? count : 0);
  for (let width = RUN; width < count; width *= 2) {
    for (let from = 0; from < count; from += width * 2) {
      await mergeRuns(rows, merged, from, Math.min(from + width, count), Math.min(from + width * 2, count), order, pause);
    }
    [rows, merged] = [merged, rows];
  }
  return rows;
}

async function mergeRuns(
  source: Uint32Array,
  target: Uint32Array,
  from: number,
  middle: number,
  to: number,
  order: RowOrder,
  pause: () => Promise<void>,
): Promise<void> {
  let left = from;
  let right = middle;
  for (let at = from; at < to; at += 1) {
    const takeLeft = right >= to || (left < middle && order(source[left] as number, source[right] as number) <= 0);
    target[at] = source[takeLeft ? left++ : right++] as number;
    if ((at - from) % RUN === RUN - 1) await pause();
  }
}
