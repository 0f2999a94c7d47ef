import { TableCellHeight, TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { type Steps, thresholds } from '../thresholds.ts';
import type { Unit } from '../units.ts';
import { description, instantTargets, type PanelParts, type UnplacedPanel, unplaced } from './panel.ts';

export interface TableParts extends Omit<PanelParts, 'height'> {
  /** Each series is a row, each label a column: aggregate away what should not be seen. */
  readonly expr: string;
  /** Heads of the columns by label, where they differ. */
  readonly heads?: Readonly<Record<string, string>>;
  /** The column of the value: its head, unit and colours. */
  readonly value: { readonly head: string; readonly unit: Unit; readonly steps: Steps; readonly decimals?: number };
  /** Smallest value first: for what runs out. */
  readonly isAscending?: boolean;
  /** No value of interest: the labels say it all. */
  readonly hidesValue?: boolean;
  readonly height?: number;
}

/** What holds now, one row a series. */
export function table(parts: TableParts): UnplacedPanel {
  const { value, heads = {}, isAscending = false, hidesValue = false, height = 8 } = parts;
  const size = { ...parts, height };
  const panel = new PanelBuilder()
    .title(parts.title)
    .description(description(size))
    .showHeader(true)
    .cellHeight(TableCellHeight.Sm)
    .filterable(false)
    .noValue('none')
    .overrideByName('Time', [hidden()])
    .overrideByName('Value', hidesValue ? [hidden()] : valueColumn(value))
    .targets(instantTargets([{ expr: parts.expr }], PromQueryFormat.Table));
  for (const [label, head] of Object.entries(heads)) panel.overrideByName(label, [{ id: 'displayName', value: head }]);
  if (!hidesValue) panel.sortBy([new TableSortByFieldStateBuilder().displayName(value.head).desc(!isAscending)]);
  return unplaced(size, withoutFooter(panel.build()));
}

// The SDK sets a footer, which today's tables do not know.
function withoutFooter(panel: Panel): Panel {
  const { footer: _, ...options } = panel.options as Readonly<Record<string, unknown>>;
  return { ...panel, options };
}

function hidden(): DynamicConfigValue {
  return { id: 'custom.hidden', value: true };
}

function valueColumn({ head, unit, steps, decimals }: TableParts['value']): DynamicConfigValue[] {
  return [
    { id: 'displayName', value: head },
    { id: 'unit', value: unit },
    ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
    { id: 'thresholds', value: thresholds(steps).build() },
    { id: 'color', value: { mode: 'thresholds' } },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
    { id: 'custom.align', value: 'right' },
  ];
}
