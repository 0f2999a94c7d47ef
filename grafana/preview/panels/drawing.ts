import type { Panel } from '../dashboard.ts';
import { type Field, fieldOf } from '../field.ts';
import type { PanelSeries, TimeRange } from '../panel-data.ts';
import type { Size } from '../svg.ts';

/** A time in which something was the matter, for the graphs. */
export interface Mark {
  readonly name: string;
  readonly colour: string;
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** What a drawing of a panel's inside is made from. */
export interface Sheet {
  readonly panel: Panel;
  /** At least one. */
  readonly series: readonly PanelSeries[];
  readonly range: TimeRange;
  readonly marks: readonly Mark[];
  readonly size: Size;
}

/** A series with how it is shown. */
export interface ShownSeries extends Field {
  readonly points: PanelSeries['points'];
  readonly labels: PanelSeries['labels'];
  /** Its place among those of the panel; picks its colour. */
  readonly index: number;
}

export function shownSeries({ panel, series }: Pick<Sheet, 'panel' | 'series'>): readonly ShownSeries[] {
  return series.map((one, index) => ({ ...fieldOf(panel, one), points: one.points, labels: one.labels, index }));
}
