import { curl } from './curl.ts';
import type { SenderConfiguration } from './facts.ts';
import { fluentBit } from './fluent-bit.ts';
import { otelCollector } from './otel-collector.ts';
import { powershell } from './powershell.ts';
import { rsyslog } from './rsyslog.ts';
import { vector } from './vector.ts';

/** Every kind of sender that a configuration can be printed for. */
export const CONFIGURATIONS: readonly SenderConfiguration[] = [fluentBit, otelCollector, vector, rsyslog, powershell, curl];

/** By the name on the command line. */
export function configurationOf(kind: string): SenderConfiguration | undefined {
  return CONFIGURATIONS.find((one) => one.kind === kind);
}
