import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNodeExporter, startRedisExporter } from './exporters.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import type { Site } from './site.ts';

const RULES = fileURLToPath(new URL('../../grafana/prometheus/rules', import.meta.url));
const INSTANCE = 'demo';
/** As the site is sped up. */
const SCRAPE_EVERY_MS = 1_000;

export interface Observers {
  readonly prometheus: Prometheus;
  stop(): Promise<void>;
}

/**
 * Starts Prometheus on a site, with the jobs `relay`, `node` and `redis` as the dashboards name them, and the project's alert rules.
 * Its data is in `folder`; it scrapes every second unless told. Throws as `startPrometheus` and the exporters do, with nothing left running.
 */
export async function startObservers(site: Site, folder: string, scrapeEveryMs: number = SCRAPE_EVERY_MS): Promise<Observers> {
  await using started = new AsyncDisposableStack();
  const node = await startNodeExporter();
  started.defer(() => node.stop());
  const redis = await startRedisExporter(site.redisSocket);
  started.defer(() => redis.stop());
  const job = (name: string, port: number) => ({ name, targets: [{ address: `127.0.0.1:${port}`, instance: INSTANCE }] });
  const prometheus = await startPrometheus({
    folder,
    scrapeEveryMs,
    evaluateEveryMs: scrapeEveryMs,
    jobs: [job('relay', site.relay.status().metricsPort), job('node', node.port), job('redis', redis.port)],
    ruleFiles: await alertRules(RULES),
  });
  started.defer(() => prometheus.stop());
  const parts = started.move();
  return { prometheus, stop: () => parts.disposeAsync() };
}

/** The rule files of a folder; none when it is not there. */
export async function alertRules(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}
