import { baseUrl, type SenderConfiguration } from './facts.ts';

/** Only parts of the core distribution: the API key in a header needs no extension. */
export const otelCollector: SenderConfiguration = {
  kind: 'otel-collector',
  about: 'OpenTelemetry Collector, exporter otlphttp (OTLP/HTTP logs): config.yaml',
  showsSecret: true,
  write: (facts, roots) => `# The relay's roots must be in ${roots}: relay authority export
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
processors:
  batch: {}
exporters:
  otlphttp/relay:
    endpoint: ${baseUrl(facts)}
    compression: gzip
    headers:
      X-Api-Key: ${facts.secret}
    tls:
      ca_file: ${roots}
    retry_on_failure:
      enabled: true
      max_elapsed_time: 0s
    sending_queue:
      enabled: true
service:
  pipelines:
    logs:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlphttp/relay]
`,
};
