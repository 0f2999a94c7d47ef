import { ReduceDataOptionsBuilder, VizOrientation } from '@grafana/grafana-foundation-sdk/common';
import { FieldColorBuilder, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/gauge';
import { type Steps, thresholds } from '../thresholds.ts';
import { UNITS } from '../units.ts';
import { description, instantTargets, type PanelParts, type UnplacedPanel, unplaced } from './panel.ts';

export interface GaugeParts extends Omit<PanelParts, 'width' | 'height'> {
  /** A ratio: 0 is empty, 1 is full. */
  readonly expr: string;
  readonly steps: Steps;
}

/** A tile that shows how full something is. */
export function gauge(parts: GaugeParts): UnplacedPanel {
  const size = { ...parts, width: 4, height: 4 };
  const panel = new PanelBuilder()
    .title(parts.title)
    .description(description(size))
    .unit(UNITS.ratio)
    .decimals(0)
    .min(0)
    .max(1)
    .noValue('no data')
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(thresholds(parts.steps))
    .showThresholdMarkers(true)
    .showThresholdLabels(false)
    .orientation(VizOrientation.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .targets(instantTargets([{ expr: parts.expr, legend: parts.title }]));
  return unplaced(size, panel.build());
}
