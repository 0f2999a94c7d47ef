/** The query, or one row of 0 with “none” in its labels when there is nothing: an empty panel looks like one that is broken. */
export function orNone(expr: string, ...labels: readonly string[]): string {
  const none = labels.reduce((inner, label) => `label_replace(${inner}, "${label}", "none", "", "")`, 'vector(0)');
  return `${expr} or on () ${none}`;
}
