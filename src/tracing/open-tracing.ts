import { readFile } from 'node:fs/promises';
import { createSecretFile } from '../secret-file.ts';
import type { BatchTracer } from './batch-tracer.ts';
import type { TracingOptions } from './options.ts';

const TIMEOUT_MS = 10_000;

export interface TracingParts {
  readonly options: TracingOptions;
  /** The relay's domain. */
  readonly relay: string;
  readonly version: string;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** Undefined without a collector: then not even the library is loaded. Throws `relay.secret.unreadable` for a token that is not there. */
export async function openTracing({ options, relay, version, now, warn }: TracingParts): Promise<BatchTracer | undefined> {
  const { endpoint, oneIn, tokenFile, trustFile } = options;
  if (endpoint === undefined) return undefined;
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { createBatchTracer } = await import('./batch-tracer.ts');
  const token = tokenFile === undefined ? undefined : createSecretFile(tokenFile, warn);
  await token?.read();
  const exporter = new OTLPTraceExporter({
    url: endpoint,
    timeoutMillis: TIMEOUT_MS,
    // Asked for each export: a changed token takes effect at once.
    ...(token ? { headers: async () => ({ authorization: `Bearer ${await token.read()}` }) } : {}),
    ...(trustFile === undefined ? {} : { httpAgentOptions: { ca: await readFile(trustFile) } }),
  });
  return createBatchTracer({ exporter, oneIn, relay, version, now });
}
