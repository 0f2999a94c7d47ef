/** Draws every dashboard without Grafana, with a real Prometheus's data of an outage and the drain after it. See grafana/README.md. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Prometheus } from '../../src/demo/prometheus.ts';
import type { QueriedDashboard } from '../source/panel-queries.ts';
import type { Dashboard } from './dashboard.ts';
import { drawDashboard, fetchDashboard } from './draw-dashboard.ts';
import { indexPage, type Page } from './index-page.ts';
import { stepFor } from './panel-data.ts';
import { type Played, playScenario, SCRAPE_EVERY_MS } from './scenario.ts';

const DASHBOARDS = fileURLToPath(new URL('../dashboards', import.meta.url));
const PICTURES = fileURLToPath(new URL('../pictures', import.meta.url));
const IN_README = ['overview', 'cache-and-delivery'];
const SCENARIO = { flowMs: 20_000, outageMs: 32_000, drainMs: 24_000 };
/** Of each series; more would not be seen. */
const POINTS = 100;

const { values: flags } = parseArgs({
  options: { out: { type: 'string', default: fileURLToPath(new URL('out', import.meta.url)) }, pictures: { type: 'boolean', default: false } },
});
process.exitCode = await main(flags.out, flags.pictures);

async function main(out: string, withPictures: boolean): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-preview-'));
  try {
    const pages = await playScenario(folder, SCENARIO, say, ({ prometheus }, played) => drawAll(prometheus, played, out, withPictures));
    await writeFile(join(out, 'index.html'), indexPage(pages));
    say(`Look at ${join(out, 'index.html')}`);
    const empty = pages.flatMap((page) => page.empty.map((title) => `${page.dashboard.title}: “${title}” has no data.`));
    empty.forEach(say);
    return empty.length > 0 ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function drawAll(prometheus: Prometheus, { from, to }: Played, out: string, withPictures: boolean): Promise<readonly Page[]> {
  await mkdir(out, { recursive: true });
  const scrapeSeconds = SCRAPE_EVERY_MS / 1000;
  const range = { from, to, stepSeconds: stepFor(from, to, POINTS, scrapeSeconds), scrapeSeconds };
  const pages: Page[] = [];
  for (const name of (await readdir(DASHBOARDS)).filter((one) => one.endsWith('.json')).sort()) {
    const dashboard = JSON.parse(await readFile(join(DASHBOARDS, name), 'utf8')) as Dashboard & QueriedDashboard;
    const { svg, empty } = drawDashboard(dashboard, await fetchDashboard(prometheus, dashboard, range));
    const file = `${basename(name, '.json')}.svg`;
    await writeFile(join(out, file), svg);
    if (withPictures && IN_README.includes(basename(name, '.json'))) await writePicture(file, svg);
    pages.push({ dashboard, file, empty });
  }
  return pages.sort((one, other) => Number(other.file.startsWith('overview')) - Number(one.file.startsWith('overview')));
}

async function writePicture(file: string, svg: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  await writeFile(join(PICTURES, file), svg);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
