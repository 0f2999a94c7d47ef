/** Agents send several counters of one object together; the table Perf has a row for each. */

export type CounterRow = Readonly<Record<string, unknown>>;

/** The rows of one record of counters; a record of another form is one row, as it came. */
export function counterRows(record: CounterRow): readonly CounterRow[] {
  const { Collections: counters, ...rest } = record;
  if (!Array.isArray(counters) || counters.length === 0 || !counters.every(isCounter)) return [record];
  const { ObjectName: object, InstanceName: instance } = record;
  const computer = String(record['Host'] ?? record['Computer'] ?? '');
  return counters.map(({ CounterName, Value, ...more }) => ({
    ...rest,
    CounterName,
    CounterValue: Value,
    CounterPath: `\\\\${computer}\\${object}(${instance})\\${CounterName}`,
    ...more,
  }));
}

function isCounter(value: unknown): value is { readonly CounterName: string; readonly Value: unknown } {
  return typeof value === 'object' && value !== null && typeof (value as { CounterName?: unknown }).CounterName === 'string' && 'Value' in value;
}
