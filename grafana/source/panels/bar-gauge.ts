import { PanelBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BarGaugeNamePlacement,
  BarGaugeValueMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import { FieldColorBuilder, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import { type Steps, thresholds } from '../thresholds.ts';
import type { Unit } from '../units.ts';
import { description, instantTargets, type PanelParts, type Query, type UnplacedPanel, unplaced } from './panel.ts';

export interface BarGaugeParts extends Omit<PanelParts, 'height'> {
  readonly queries: readonly Query[];
  readonly unit: Unit;
  readonly steps: Steps;
  readonly height?: number;
  /** Where a full bar ends. The largest value, unless given. */
  readonly max?: number;
  readonly decimals?: number;
}

/** Figures side by side, as bars: what share each has. */
export function barGauge(parts: BarGaugeParts): UnplacedPanel {
  const { height = 8, max, decimals } = parts;
  const size = { ...parts, height };
  const panel = new PanelBuilder()
    .title(parts.title)
    .description(description(size))
    .unit(parts.unit)
    .min(0)
    .noValue('no data')
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(thresholds(parts.steps))
    .displayMode(BarGaugeDisplayMode.Basic)
    .valueMode(BarGaugeValueMode.Color)
    .namePlacement(BarGaugeNamePlacement.Left)
    .showUnfilled(true)
    .orientation(VizOrientation.Horizontal)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .targets(instantTargets(parts.queries));
  if (max !== undefined) panel.max(max);
  if (decimals !== undefined) panel.decimals(decimals);
  return unplaced(size, panel.build());
}
