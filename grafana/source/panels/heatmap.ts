import { AxisPlacement, HeatmapCellLayout, TooltipDisplayMode } from '@grafana/grafana-foundation-sdk/common';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  HeatmapTooltipBuilder,
  PanelBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { UNITS, type Unit } from '../units.ts';
import { description, type PanelParts, rangeTargets, type UnplacedPanel, unplaced } from './panel.ts';

export interface HeatmapParts extends Omit<PanelParts, 'height'> {
  /** Cumulative buckets: summed by le and nothing else. */
  readonly expr: string;
  /** Of the buckets' bounds. */
  readonly unit: Unit;
  readonly height?: number;
}

/** Where the values of a histogram lie over time: the darker, the more. */
export function heatmap(parts: HeatmapParts): UnplacedPanel {
  const size = { ...parts, height: parts.height ?? 8 };
  const panel = new PanelBuilder()
    .title(parts.title)
    .description(description(size))
    .unit(UNITS.count)
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').scale(HeatmapColorScale.Exponential).exponent(0.5).steps(64))
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .yAxis(new YAxisConfigBuilder().unit(parts.unit).axisPlacement(AxisPlacement.Left))
    .cellGap(1)
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(false).showColorScale(false))
    .showLegend()
    .targets(rangeTargets([{ expr: parts.expr, legend: '{{le}}' }]).map((target) => target.format(PromQueryFormat.Heatmap)));
  return unplaced(size, panel.build());
}
