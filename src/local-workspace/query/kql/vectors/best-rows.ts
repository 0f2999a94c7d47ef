import type { RowOrder } from './order.ts';

/** The `most` rows of 0 to before `count` that come first, in no order: a heap whose top is the last of those kept. */
export function bestRows(count: number, most: number, order: RowOrder): Uint32Array {
  if (count <= most) return new Uint32Array(count).map((_, index) => index);
  const heap = new Uint32Array(most);
  if (most === 0) return heap;
  for (let row = 0; row < most; row += 1) lift(heap, row, row, order);
  for (let row = most; row < count; row += 1) {
    if (order(row, heap[0] as number) < 0) sink(heap, row, order);
  }
  return heap;
}

function lift(heap: Uint32Array, start: number, row: number, order: RowOrder): void {
  let at = start;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (order(heap[parent] as number, row) >= 0) break;
    heap[at] = heap[parent] as number;
    at = parent;
  }
  heap[at] = row;
}

function sink(heap: Uint32Array, row: number, order: RowOrder): void {
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && order(heap[child + 1] as number, heap[child] as number) > 0) child += 1;
    if (order(heap[child] as number, row) <= 0) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = row;
}
