import {
  AxisPlacement,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { FieldColorBuilder, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { NEUTRAL, type Steps, thresholds } from '../thresholds.ts';
import type { Unit } from '../units.ts';
import { description, type PanelParts, type Query, rangeTargets, type UnplacedPanel, unplaced } from './panel.ts';

/** A query whose series differ from the others of the graph. */
export interface SeriesQuery extends Query {
  /** Its own unit, on an axis at the right. */
  readonly rightUnit?: Unit;
  /** Broken lines: what is compared with, a limit or another count. */
  readonly isDashed?: boolean;
}

export interface TimeSeriesParts extends Omit<PanelParts, 'height'> {
  readonly queries: readonly SeriesQuery[];
  readonly unit: Unit;
  readonly height?: number;
  /** What the legend gives beside each name. Last and highest, unless given. */
  readonly calculations?: readonly ('lastNotNull' | 'max' | 'mean' | 'sum')[];
  /** Lines across the graph from which on it is orange, or red. */
  readonly steps?: Steps;
  /** Adds the series up: only for parts of one whole. */
  readonly isStacked?: boolean;
  /** Bars for what is counted per interval. */
  readonly hasBars?: boolean;
}

/** Lines over time. Begins at 0, and names its series below with the figures that matter. */
export function timeSeries(parts: TimeSeriesParts): UnplacedPanel {
  const { queries, steps, height = 8, isStacked = false, hasBars = false, calculations = ['lastNotNull', 'max'] } = parts;
  const size = { ...parts, height };
  const panel = new PanelBuilder()
    .title(parts.title)
    .description(description(size))
    .unit(parts.unit)
    .axisSoftMin(0)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .drawStyle(hasBars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.Linear)
    .lineWidth(hasBars ? 1 : 2)
    .fillOpacity(hasBars ? 70 : isStacked ? 25 : 8)
    .showPoints(VisibilityMode.Never)
    .spanNulls(false)
    .stacking(new StackingConfigBuilder().mode(isStacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .thresholds(thresholds(steps ?? NEUTRAL))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(steps ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([...calculations]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(rangeTargets(queries));
  distinguish(panel, queries);
  return unplaced(size, panel.build());
}

function distinguish(panel: PanelBuilder, queries: readonly SeriesQuery[]): void {
  for (const [index, { rightUnit, isDashed = false }] of queries.entries()) {
    const own = [
      ...(rightUnit === undefined
        ? []
        : [
            { id: 'unit', value: rightUnit },
            { id: 'custom.axisPlacement', value: AxisPlacement.Right },
          ]),
      ...(isDashed
        ? [
            { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } },
            { id: 'custom.fillOpacity', value: 0 },
            { id: 'custom.stacking', value: { mode: StackingMode.None, group: 'A' } },
          ]
        : []),
    ];
    if (own.length > 0) panel.overrideByQuery(String.fromCharCode(65 + index), own);
  }
}
