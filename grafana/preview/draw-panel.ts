import { THEME } from './colours.ts';
import type { Panel } from './dashboard.ts';
import { needsData, type PanelSeries, type TimeRange } from './panel-data.ts';
import { drawBarGauge } from './panels/bar-gauge.ts';
import type { Mark, Sheet } from './panels/drawing.ts';
import { drawGauge } from './panels/gauge.ts';
import { drawHeatMap } from './panels/heat-map.ts';
import { drawStat } from './panels/stat.ts';
import { drawStateTimeline } from './panels/state-timeline.ts';
import { drawTable } from './panels/table.ts';
import { drawTimeSeries } from './panels/time-series.ts';
import { type Box, escaped, nested, rectangle, shortened, text } from './svg.ts';

const TITLE = 30;
const PADDING = 8;

const DRAWINGS: Readonly<Record<string, (sheet: Sheet) => string>> = {
  timeseries: drawTimeSeries,
  stat: drawStat,
  gauge: drawGauge,
  bargauge: drawBarGauge,
  table: drawTable,
  'state-timeline': drawStateTimeline,
  heatmap: drawHeatMap,
};

export interface PanelData {
  readonly series: readonly PanelSeries[];
  readonly range: TimeRange;
  /** What happened, for the graphs. */
  readonly marks: readonly Mark[];
}

/** Draws a panel into its box: its title, and inside what its data shows, or “No data”. Throws when nobody knows how to draw its type. */
export function drawPanel(panel: Panel, { series, range, marks }: PanelData, box: Box): string {
  if (panel.type === 'row') return nested(box, text(4, box.height / 2 + 5, `▾ ${panel.title ?? ''}`, { size: 14, weight: 500 }));
  const ground = rectangle({ x: 0.5, y: 0.5, width: box.width - 1, height: box.height - 1 }, THEME.panel, `stroke="${THEME.border}" rx="3"`);
  const about = panel.description ? `<title>${escaped(panel.description)}</title>` : '';
  const title = text(PADDING, 20, shortened(panel.title ?? '', box.width - PADDING * 2, 13), { size: 13, weight: 500 });
  const top = panel.title ? TITLE : PADDING;
  const inside = { x: PADDING, y: top, width: box.width - PADDING * 2, height: box.height - top - PADDING };
  return nested(box, ground + about + title + nested(inside, drawInside(panel, { series, range, marks, size: inside })));
}

function drawInside(panel: Panel, sheet: Omit<Sheet, 'panel'>): string {
  if (panel.type === 'text') return textLines(panel.options?.content ?? '');
  if (sheet.series.length === 0) return noData(panel, sheet.size);
  const draw = DRAWINGS[panel.type];
  if (!draw) throw new Error(`The panel “${panel.title}” has the type ${panel.type}, which the preview cannot draw. Draw it in grafana/preview/panels.`);
  return draw({ panel, ...sheet });
}

function noData(panel: Panel, { width, height }: { readonly width: number; readonly height: number }): string {
  const words = saysWhyEmpty(panel);
  const style = { size: 18, anchor: 'middle', weight: 600, colour: words === undefined ? THEME.empty : THEME.faint } as const;
  return text(width / 2, height / 2 + 6, words ?? 'No data', style);
}

/** Whether a panel has nothing to show although it should. */
export function isEmpty(panel: Panel, series: readonly PanelSeries[]): boolean {
  return needsData(panel) && series.length === 0 && saysWhyEmpty(panel) === undefined;
}

// A panel that may be empty has words of its own for it; those that mean a fault are the dashboards' usual ones.
function saysWhyEmpty({ fieldConfig }: Panel): string | undefined {
  const words = fieldConfig?.defaults?.noValue;
  return words === undefined || /^(?:no data|not scraped|no answer yet)?$/i.test(words) ? undefined : words;
}

function textLines(content: string): string {
  return content
    .split('\n')
    .map((one, index) => text(0, 14 + index * 17, one.replace(/^#+ |\*\*|`/g, ''), { size: 12 }))
    .join('');
}
