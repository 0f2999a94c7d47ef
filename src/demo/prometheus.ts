import { join } from 'node:path';
import { makePrivateFolder, writeFileAtomic } from '../files.ts';
import { startProgram } from './program.ts';
import { createPrometheusClient, type PrometheusClient } from './prometheus-client.ts';
import { type PrometheusSettings, prometheusConfiguration } from './prometheus-configuration.ts';

/** A Prometheus of our own on a loopback port, with its data in its folder. For the demo, the preview of dashboards, and tests. */
export interface Prometheus extends PrometheusClient {
  readonly url: string;
  readonly pid: number;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

export interface PrometheusOptions extends PrometheusSettings {
  readonly folder: string;
  /** A free port unless given. */
  readonly port?: number;
}

/**
 * Starts Debian's prometheus in `folder` and waits until it is ready; it begins to scrape some five seconds later. Throws `relay.prometheus.missing` when it is not installed,
 * `relay.program.unreachable` with its last words when it does not start, as with a rule that is wrong.
 */
export async function startPrometheus({ folder, port, ...settings }: PrometheusOptions): Promise<Prometheus> {
  await makePrivateFolder(folder);
  const configurationFile = join(folder, 'prometheus.yml');
  await writeFileAtomic(configurationFile, prometheusConfiguration(settings));
  const { url, pid, stop } = await startProgram({
    command: 'prometheus',
    argsFor: (chosen) => [
      `--config.file=${configurationFile}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${chosen}`,
      // Without it, links in Prometheus's own pages would bear the machine's name, which may lead elsewhere.
      `--web.external-url=http://127.0.0.1:${chosen}/`,
      '--log.level=warn',
    ],
    readyPath: '/-/ready',
    port,
    missingCode: 'relay.prometheus.missing',
    aptPackage: 'prometheus',
  });
  return { ...createPrometheusClient(url), url, pid, stop };
}
