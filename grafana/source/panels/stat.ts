import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import { type DynamicConfigValue, FieldColorBuilder, FieldColorModeId, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { NONE_EXPECTED, type Steps, thresholds } from '../thresholds.ts';
import { UNITS, type Unit } from '../units.ts';
import { description, instantTargets, type PanelParts, rangeTargets, type UnplacedPanel, unplaced } from './panel.ts';

export interface StatParts extends Omit<PanelParts, 'width' | 'height'> {
  readonly expr: string;
  readonly unit: Unit;
  readonly steps: Steps;
  readonly decimals?: number;
  readonly mappings?: readonly ValueMapping[];
  /** Draws the course of the value behind it. */
  readonly hasTrend?: boolean;
  /** Shown where there is no value; why that is. */
  readonly noValue?: string;
}

/** A big tile: one figure, coloured, legible from across a room. Six stand in a row. */
export function stat(parts: StatParts): UnplacedPanel {
  const { hasTrend = false, noValue = 'no data', decimals, mappings = [] } = parts;
  const size = { ...parts, width: 4, height: 4 };
  const queries = [{ expr: parts.expr, legend: parts.title }];
  const panel = tile(size)
    .unit(parts.unit)
    .mappings([...mappings])
    .thresholds(thresholds(parts.steps))
    .colorMode(BigValueColorMode.Background)
    .graphMode(hasTrend ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .textMode(BigValueTextMode.Value)
    .noValue(noValue)
    .targets(hasTrend ? rangeTargets(queries) : instantTargets(queries));
  if (decimals !== undefined) panel.decimals(decimals);
  return unplaced(size, panel.build());
}

/** One of the figures in a strip. */
export interface StripFigure {
  readonly name: string;
  readonly expr: string;
  /** Orange from 1 on, unless given. */
  readonly steps?: Steps;
  /** A count, unless given. */
  readonly unit?: Unit;
}

export interface StripParts extends Omit<PanelParts, 'height'> {
  readonly figures: readonly StripFigure[];
}

/** Several small figures side by side, each with its name: what is 0 on a good day. */
export function strip(parts: StripParts): UnplacedPanel {
  const { figures } = parts;
  const size = { ...parts, height: 4 };
  const panel = tile(size)
    .unit(UNITS.count)
    .decimals(0)
    .thresholds(thresholds(NONE_EXPECTED))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.ValueAndName)
    .noValue('no data')
    .targets(instantTargets(figures.map(({ name, expr }) => ({ expr, legend: name }))));
  for (const figure of figures) {
    const own = overridesOf(figure);
    if (own.length > 0) panel.overrideByName(figure.name, own);
  }
  return unplaced(size, panel.build());
}

function overridesOf({ steps, unit }: StripFigure): DynamicConfigValue[] {
  return [
    ...(steps === undefined ? [] : [{ id: 'thresholds', value: thresholds(steps).build() }]),
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
  ];
}

function tile(parts: PanelParts): PanelBuilder {
  return new PanelBuilder()
    .title(parts.title)
    .description(description(parts))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .justifyMode(BigValueJustifyMode.Auto)
    .orientation(VizOrientation.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
}
