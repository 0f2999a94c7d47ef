/** Grafana's names of the units that the dashboards use. */
export const UNITS = {
  none: 'none',
  count: 'short',
  bytes: 'bytes',
  bytesPerSecond: 'Bps',
  seconds: 's',
  ratio: 'percentunit',
  perSecond: 'reqps',
  operationsPerSecond: 'ops',
  text: 'string',
} as const;

export type Unit = (typeof UNITS)[keyof typeof UNITS];
