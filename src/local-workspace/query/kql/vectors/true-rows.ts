/** The rows, of the first `count`, in which a truth value is true: neither false nor null. */
export function trueRows(values: Float64Array, count: number): Uint32Array {
  const rows = new Uint32Array(count);
  let kept = 0;
  for (let row = 0; row < count; row += 1) {
    if (values[row] === 1) rows[kept++] = row;
  }
  return rows.subarray(0, kept);
}
