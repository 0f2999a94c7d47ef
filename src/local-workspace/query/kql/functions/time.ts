import { semanticProblem } from '../problem.ts';
import { cast } from '../scalar/cast.ts';
import { lift } from '../scalar/lift.ts';
import { columnScalar, constantScalar, type Scalar } from '../scalar/scalar.ts';
import { CALENDAR_PARTS, type CalendarUnit, DAY_MS, endOf, startOf, wholeBetween } from '../values/calendar.ts';
import { isDatetime } from '../values/datetime.ts';
import { createDatetimeFormat } from './format-datetime.ts';
import { type Call, coerce, constantOf, define, type ScalarFunction } from './function.ts';

const UNITS: readonly CalendarUnit[] = ['day', 'week', 'month', 'year'];

const PARTS: Readonly<Record<string, (ms: number) => number>> = {
  hourofday: (ms) => new Date(ms).getUTCHours(),
  dayofmonth: (ms) => new Date(ms).getUTCDate(),
  dayofyear: (ms) => Math.floor((ms - startOf('year', ms, 0)) / DAY_MS) + 1,
  monthofyear: (ms) => new Date(ms).getUTCMonth() + 1,
  getmonth: (ms) => new Date(ms).getUTCMonth() + 1,
  getyear: (ms) => new Date(ms).getUTCFullYear(),
};

/** Functions of times (Kusto, "Scalar functions", datetime functions). All in UTC. */
export const TIME_FUNCTIONS: readonly ScalarFunction[] = [
  { name: 'now', arity: [0, 1], bind: ({ word, args, now }) => shifted(now, args[0] && coerce(word, 'timespan', args[0]), 1) },
  { name: 'ago', arity: [1, 1], bind: ({ word, args, now }) => shifted(now, coerce(word, 'timespan', args[0] as Scalar), -1) },
  ...UNITS.flatMap((unit) => [calendar(`startof${unit}`, unit, startOf, unit === 'day'), calendar(`endof${unit}`, unit, endOf, false)]),
  ...Object.entries(PARTS).map(([name, part]) =>
    define(name, { takes: ['datetime'], gives: 'int' }, (ms) => (isDatetime(ms as number) ? part(ms as number) : Number.NaN)),
  ),
  define('dayofweek', { takes: ['datetime'], gives: 'timespan' }, (ms) => new Date(ms as number).getUTCDay() * DAY_MS),
  { name: 'format_datetime', arity: [2, 2], namedAfterFirst: true, bind: bindFormat },
  { name: 'datetime_diff', arity: [3, 3], bind: bindDifference },
  { name: 'ingestion_time', arity: [0, 0], bind: bindIngestionTime },
];

function shifted(now: number, by: Scalar | undefined, sign: number): Scalar {
  return by ? lift('datetime', [by], (ms) => now + sign * (ms as number)) : constantScalar('datetime', now);
}

function calendar(name: string, unit: CalendarUnit, place: typeof startOf, named: boolean): ScalarFunction {
  return define(name, { takes: ['datetime', 'number'], optional: 1, gives: 'datetime', named }, (ms, offset = 0) =>
    place(unit, ms as number, offset as number),
  );
}

function bindFormat(call: Call): Scalar {
  const format = createDatetimeFormat(String(constantOf(call, 1, 'a format')));
  return lift('string', [coerce(call.word, 'datetime', call.args[0] as Scalar)], (ms) => format(ms as number));
}

function bindDifference(call: Call): Scalar {
  const { word } = call;
  const [unit, later, earlier] = call.args as [Scalar, Scalar, Scalar];
  const part = String(unit.constant?.value ?? '').toLowerCase();
  if (!CALENDAR_PARTS.includes(part)) throw semanticProblem(word, `datetime_diff() needs one of ${CALENDAR_PARTS.join(', ')} first.`);
  const times = [coerce(word, 'datetime', later), coerce(word, 'datetime', earlier)];
  return lift('long', times, (after, before) => wholeBetween(part, after as number, before as number));
}

// When the service took the row: a column of every table, and null for rows that come from none.
function bindIngestionTime({ columns }: Call): Scalar {
  const place = columns.findIndex(({ name }) => name === '_TimeReceived');
  const column = columns[place];
  return column ? cast(columnScalar(column.type, place), 'datetime') : constantScalar('datetime', Number.NaN);
}
