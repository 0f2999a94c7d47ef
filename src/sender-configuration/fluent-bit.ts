import { EXAMPLE_TABLE, type SenderConfiguration } from './facts.ts';

/** Fluent Bit puts the workspace before `host`, and drops a chunk after one retry unless told otherwise. */
export const fluentBit: SenderConfiguration = {
  kind: 'fluent-bit',
  about: "Fluent Bit, output azure (Data Collector API): fluent-bit.yaml's pipeline",
  showsSecret: true,
  write: ({ workspaceId, secret, domain, port }, roots) => `# The relay's roots must be in ${roots}: relay authority export
service:
  flush: 1
  storage.path: /var/lib/fluent-bit/storage
pipeline:
  inputs:
    - name: systemd
      tag: host.*
      storage.type: filesystem
  outputs:
    - name: azure
      match: '*'
      host: ods.${domain}
      port: ${port}
      customer_id: ${workspaceId}
      shared_key: ${secret}
      log_type: ${EXAMPLE_TABLE}
      time_key: TimeGenerated
      time_generated: on
      retry_limit: no_limits
      tls: on
      tls.verify: on
      tls.ca_file: ${roots}
`,
};
