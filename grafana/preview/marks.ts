import type { PrometheusClient } from '../../src/demo/prometheus-client.ts';
import type { AnnotationQuery } from '../source/panel-queries.ts';
import { colourNamed } from './colours.ts';
import type { TimeRange } from './panel-data.ts';
import type { Mark } from './panels/drawing.ts';

/** A dashboard's own settings of what it marks. */
export interface AnnotationSettings {
  readonly name: string;
  readonly iconColor?: string;
  readonly useValueForTime?: boolean;
}

/** The times that a dashboard marks on its graphs: those at which a query's value is above 0, or, for some, the time that the value itself is. */
export async function fetchMarks(
  prometheus: PrometheusClient,
  queries: readonly AnnotationQuery[],
  settings: readonly AnnotationSettings[],
  range: TimeRange,
): Promise<readonly Mark[]> {
  const found = await Promise.all(
    queries.map(async ({ name, expr }) => {
      const { iconColor = 'blue', useValueForTime = false } = settings.find((one) => one.name === name) ?? {};
      const series = await prometheus.queryRange(expr, range.from, range.to, range.stepSeconds);
      const spans = series.flatMap(({ points }) => (useValueForTime ? valuesAsTimes(points, range) : stretches(points, range.stepSeconds)));
      return spans.map(([from, to]) => ({ name, colour: colourNamed(iconColor), from, to }));
    }),
  );
  return found.flat();
}

type Points = readonly (readonly [at: number, value: number])[];
type Span = readonly [from: number, to: number];

function stretches(points: Points, step: number): readonly Span[] {
  const spans: Span[] = [];
  for (const [at] of points.filter(([, value]) => value > 0)) {
    const last = spans.at(-1);
    if (last && at - last[1] <= step * 1.5) spans[spans.length - 1] = [last[0], at];
    else spans.push([at, at + step]);
  }
  return spans;
}

function valuesAsTimes(points: Points, { from, to, stepSeconds }: TimeRange): readonly Span[] {
  const times = new Set(points.map(([, milliseconds]) => milliseconds / 1000));
  return [...times].filter((at) => at * 1000 >= from.getTime() && at * 1000 <= to.getTime()).map((at) => [at, at + stepSeconds / 2]);
}
