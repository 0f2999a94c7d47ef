import {
  LegendDisplayMode,
  LegendPlacement,
  TimelineValueAlignment,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { FieldColorBuilder, FieldColorModeId, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { NEUTRAL, thresholds } from '../thresholds.ts';
import { UNITS } from '../units.ts';
import { description, type PanelParts, type Query, rangeTargets, type UnplacedPanel, unplaced } from './panel.ts';

export interface StateTimelineParts extends Omit<PanelParts, 'height'> {
  readonly query: Query;
  readonly height?: number;
  /** Each value's word and colour. */
  readonly mappings: readonly ValueMapping[];
}

/** One bar for each series, coloured by its state at each moment. */
export function stateTimeline(parts: StateTimelineParts): UnplacedPanel {
  const size = { ...parts, height: parts.height ?? 8 };
  const panel = new PanelBuilder()
    .title(parts.title)
    .description(description(size))
    .unit(UNITS.none)
    .mappings([...parts.mappings])
    .thresholds(thresholds(NEUTRAL))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .showValue(VisibilityMode.Auto)
    .mergeValues(true)
    .alignValue(TimelineValueAlignment.Left)
    .rowHeight(0.85)
    .lineWidth(0)
    .fillOpacity(80)
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true).calcs([]))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single))
    .targets(rangeTargets([parts.query]));
  return unplaced(size, panel.build());
}
