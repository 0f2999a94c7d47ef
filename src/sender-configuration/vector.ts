import { EXAMPLE_TABLE, type SenderConfiguration } from './facts.ts';

/** Vector makes the address of `<customer_id>.<host>`, a port included. */
export const vector: SenderConfiguration = {
  kind: 'vector',
  about: 'Vector, sink azure_monitor_logs (Data Collector API): vector.yaml',
  showsSecret: true,
  write: ({ workspaceId, secret, domain, port }, roots) => `# The relay's roots must be in ${roots}: relay authority export
data_dir: /var/lib/vector
sources:
  journal:
    type: journald
sinks:
  relay:
    type: azure_monitor_logs
    inputs: [journal]
    host: ods.${domain}${port === 443 ? '' : `:${port}`}
    customer_id: ${workspaceId}
    shared_key: ${secret}
    log_type: ${EXAMPLE_TABLE}
    acknowledgements:
      enabled: true
    tls:
      ca_file: ${roots}
    buffer:
      type: disk
      max_size: 1073741824
      when_full: block
`,
};
