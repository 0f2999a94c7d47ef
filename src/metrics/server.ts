import { Server } from '@hapi/hapi';
import type { Metrics } from './metrics.ts';
import type { MetricsOptions } from './options.ts';
import { healthPlugin, metricsPlugin, type Readiness } from './plugin.ts';

/** Listens for Prometheus and health checks, apart from the agents' port; returns how to stop it, and its port. */
export async function startMetricsServer(
  options: MetricsOptions,
  { metrics, ready }: { readonly metrics: Metrics; readonly ready: () => Readiness },
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const hapi = new Server({ address: options.address, port: options.port, debug: false });
  await hapi.register([
    { plugin: metricsPlugin, options: { metrics } },
    { plugin: healthPlugin, options: { ready } },
  ]);
  await hapi.start();
  return { port: Number(hapi.info.port), stop: () => hapi.stop({ timeout: 1_000 }) };
}
