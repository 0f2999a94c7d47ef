import type { FieldSettings } from './dashboard.ts';

/** Grafana's dark theme, as far as the preview draws it. */
export const THEME = {
  canvas: '#111217',
  panel: '#181b1f',
  border: '#2c3035',
  grid: '#2a2d33',
  text: '#ccccdc',
  faint: '#8e8e9a',
  empty: '#f2495c',
} as const;

/** The order in which series without a colour of their own get one. */
const PALETTE = [
  '#73bf69',
  '#f2cc0c',
  '#8ab8ff',
  '#ff780a',
  '#f2495c',
  '#5794f2',
  '#b877d9',
  '#705da0',
  '#37872d',
  '#fade2a',
  '#447ebc',
  '#c15c17',
  '#ffa6b0',
  '#6ed0e0',
];

const SHADES: Readonly<Record<string, readonly [dark: string, semiDark: string, plain: string, light: string, superLight: string]>> = {
  green: ['#37872d', '#56a64b', '#73bf69', '#96d98d', '#c8f2c2'],
  yellow: ['#e0b400', '#f2cc0c', '#fade2a', '#ffee52', '#fff899'],
  red: ['#c4162a', '#e02f44', '#f2495c', '#ff7383', '#ffa6b0'],
  blue: ['#1f60c4', '#3274d9', '#5794f2', '#8ab8ff', '#c0d8ff'],
  orange: ['#fa6400', '#ff780a', '#ff9830', '#ffb357', '#ffcb7d'],
  purple: ['#8f3bb8', '#a352cc', '#b877d9', '#ca95e5', '#deb6f2'],
};
const SHADE_NAMES = ['dark', 'semi-dark', '', 'light', 'super-light'];
const SCALES: Readonly<Record<string, readonly string[]>> = {
  'continuous-GrYlRd': ['#73bf69', '#fade2a', '#f2495c'],
  'continuous-RdYlGr': ['#f2495c', '#fade2a', '#73bf69'],
  'continuous-BlYlRd': ['#5794f2', '#fade2a', '#f2495c'],
  'continuous-BlPu': ['#5794f2', '#b877d9'],
};

/** A colour as SVG takes it, from Grafana's name of it; what is no such name stays as it is. */
export function colourNamed(name: string): string {
  const [, shade = '', hue = ''] = /^(?:(dark|semi-dark|light|super-light)-)?(.+)$/.exec(name) ?? [];
  const shades = SHADES[hue];
  if (shades) return shades[SHADE_NAMES.indexOf(shade)] ?? name;
  if (name === 'text') return THEME.text;
  return name === 'gray' || name === 'grey' ? '#8e8e9a' : name;
}

export function paletteColour(index: number): string {
  return PALETTE[index % PALETTE.length] ?? THEME.text;
}

/** The colour of the highest threshold that a value reaches. Thresholds in percent need the field's `min` and `max` (0 and 100 unless given). */
export function thresholdColour({ thresholds, min, max }: FieldSettings, value: number): string {
  const low = min ?? 0;
  const place = thresholds?.mode === 'percentage' ? ((value - low) / ((max ?? 100) - low)) * 100 : value;
  const reached = (thresholds?.steps ?? []).filter((step) => place >= (step.value ?? Number.NEGATIVE_INFINITY)).at(-1);
  return colourNamed(reached?.color ?? 'green');
}

/** The colour of a field's value; `index` is the field's place among those of its panel. */
export function valueColour(settings: FieldSettings, value: number, index: number): string {
  const mode = settings.color?.mode ?? 'thresholds';
  const scale = SCALES[mode];
  if (scale) return onScale(scale, (value - (settings.min ?? 0)) / ((settings.max ?? 1) - (settings.min ?? 0)));
  if (mode === 'thresholds') return thresholdColour(settings, value);
  return seriesColour(settings, value, index);
}

/** The colour of a whole series, whose last value is `last`. */
export function seriesColour(settings: FieldSettings, last: number, index: number): string {
  const { mode = 'palette-classic', fixedColor } = settings.color ?? {};
  if ((mode === 'fixed' || mode === 'shades') && fixedColor !== undefined) return colourNamed(fixedColor);
  return mode === 'thresholds' ? thresholdColour(settings, last) : paletteColour(index);
}

/** A colour between those of a scale; 0 is its beginning, 1 its end. */
export function onScale(scale: readonly string[], share: number): string {
  const place = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * (scale.length - 1);
  const from = channels(scale[Math.floor(place)] ?? '#000000');
  const to = channels(scale[Math.ceil(place)] ?? '#000000');
  const mixed = from.map((channel, index) => Math.round(channel + ((to[index] ?? channel) - channel) * (place % 1)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

function channels(colour: string): readonly number[] {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}
