import type { Plugin, ResponseToolkit } from '@hapi/hapi';
import type { Metrics } from './metrics.ts';

/** Whether the relay can do its work now, and if not, why. */
export type Readiness = { readonly ok: true } | { readonly ok: false; readonly reasons: readonly string[] };

export interface HealthOptions {
  readonly ready: () => Readiness;
}

/** `/health/live`: the process answers. `/health/ready`: a batch would be taken now; 503 with the reasons otherwise. */
export const healthPlugin: Plugin<HealthOptions> = {
  name: 'health',
  register(server, { ready }) {
    server.route({ method: 'GET', path: '/health/live', options: { auth: false }, handler: () => ({ status: 'live' }) });
    server.route({
      method: 'GET',
      path: '/health/ready',
      options: { auth: false },
      handler: (_request, h: ResponseToolkit) => {
        const state = ready();
        return state.ok ? { status: 'ready' } : h.response({ status: 'not ready', reasons: state.reasons }).code(503);
      },
    });
  },
};

export interface MetricsPluginOptions {
  readonly metrics: Metrics;
}

/** `/metrics` in Prometheus's text format. */
export const metricsPlugin: Plugin<MetricsPluginOptions> = {
  name: 'metrics',
  register(server, { metrics }) {
    server.route({
      method: 'GET',
      path: '/metrics',
      handler: async (_request, h) => h.response(await metrics.expose()).type('text/plain; version=0.0.4'),
    });
  },
};
