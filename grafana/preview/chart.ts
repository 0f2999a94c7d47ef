import { type EChartsOption, init } from 'echarts';
import { type Box, nested } from './svg.ts';

/** Draws a chart in its place, as a picture inside a picture. */
export function chart(box: Box, option: EChartsOption): string {
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width: box.width, height: box.height });
  try {
    drawing.setOption({ ...option, animation: false });
    return nested(box, lean(drawing.renderToSVGString()));
  } finally {
    drawing.dispose();
  }
}

// Nobody points at a picture: what is there for a pointer only makes it heavier. The font is the whole picture's.
function lean(svg: string): string {
  return svg
    .replace(/^<svg[^>]*>|<\/svg>\s*$/g, '')
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|pointer-events|ecmeta_\w+|xml:space|xmlns(?::\w+)?)="[^"]*"/g, '')
    .replace(/ style="font(?:: normal normal |-size:)(\d+)px[^"]*"/g, ' font-size="$1"')
    .replace(/\d+\.\d{2,}/g, (number) => String(Math.round(Number(number) * 10) / 10))
    .replace(/><\/(?:path|rect)>/g, '/>')
    .replace(/>\s+</g, '><');
}
