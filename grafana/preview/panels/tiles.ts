import type { Box, Size } from '../svg.ts';

const GAP = 6;

/** Shares a panel out among items: side by side, one below the other, or, left to itself, so that the tiles are not too slim. */
export function tiles<T>(items: readonly T[], { width, height }: Size, orientation = 'auto'): readonly { readonly item: T; readonly box: Box }[] {
  const columns = orientation === 'vertical' ? items.length : orientation === 'horizontal' ? 1 : bestColumns(items.length, { width, height });
  const rows = Math.ceil(items.length / columns);
  const tile = { width: (width - GAP * (columns - 1)) / columns, height: (height - GAP * (rows - 1)) / rows };
  return items.map((item, index) => {
    return { item, box: { x: (index % columns) * (tile.width + GAP), y: Math.floor(index / columns) * (tile.height + GAP), ...tile } };
  });
}

// The number of columns whose tiles come nearest to twice as wide as high.
function bestColumns(count: number, { width, height }: Size): number {
  const badness = (columns: number): number => Math.abs(Math.log(width / columns / (height / Math.ceil(count / columns)) / 2));
  return Array.from({ length: Math.max(1, count) }, (_, index) => index + 1).reduce((best, columns) => (badness(columns) < badness(best) ? columns : best));
}
