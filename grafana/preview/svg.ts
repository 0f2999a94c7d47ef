import { THEME } from './colours.ts';

export const FONT = 'Inter, Helvetica, Arial, sans-serif';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

export interface TextStyle {
  readonly size?: number;
  readonly colour?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly weight?: number;
}

/** One line of text; `y` is its base line. */
export function text(x: number, y: number, content: string, { size = 12, colour = THEME.text, anchor = 'start', weight = 400 }: TextStyle = {}): string {
  const place = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  const strength = weight === 400 ? '' : ` font-weight="${weight}"`;
  return `<text x="${round(x)}" y="${round(y)}" font-size="${round(size)}" fill="${colour}"${place}${strength}>${escaped(content)}</text>`;
}

export function rectangle({ x, y, width, height }: Box, fill: string, more = ''): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width))}" height="${round(Math.max(0, height))}" fill="${fill}"${more === '' ? '' : ` ${more}`}/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, colour: string, more = ''): string {
  return `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="${colour}" fill="none"${more === '' ? '' : ` ${more}`}/>`;
}

/** A picture inside a picture. */
export function nested({ x, y, width, height }: Box, content: string): string {
  return `<svg x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}">${content}</svg>`;
}

export function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The width of a text in this font, nearly. */
export function textWidth(content: string, size: number): number {
  let width = 0;
  for (const character of content)
    width += /[iljtfrI.,:;'|!()[\] ]/.test(character) ? 0.31 : /[mwMW@%∞—]/.test(character) ? 0.88 : /[A-Z0-9]/.test(character) ? 0.64 : 0.55;
  return width * size;
}

/** A text that fits into `width`: whole, or with an ellipsis for its end. */
export function shortened(content: string, width: number, size: number): string {
  if (textWidth(content, size) <= width) return content;
  let kept = content;
  while (kept.length > 1 && textWidth(`${kept}…`, size) > width) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

/** The largest size, `largest` at most, in which a text fits into `width`. */
export function fittingSize(content: string, width: number, largest: number): number {
  return Math.min(largest, width / Math.max(0.01, textWidth(content, 1)));
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
