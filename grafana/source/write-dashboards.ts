/** Writes the dashboards that Grafana reads: npm run grafana:dashboards */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { allDashboards, dashboardText } from './dashboards.ts';

const folder = fileURLToPath(new URL('../dashboards/', import.meta.url));
await mkdir(folder, { recursive: true });
for (const [name, dashboard] of Object.entries(allDashboards())) await writeFile(`${folder}${name}.json`, dashboardText(dashboard));
