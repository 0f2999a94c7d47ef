import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** An alert as `relay.rules.yml` declares it. */
export interface AlertRule {
  readonly alert: string;
  /** PromQL. */
  readonly expr: string;
  /** For how long it must hold, as Prometheus writes it; none: at once. */
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    /** One line, with the labels of what it is about. */
    readonly summary: string;
    /** What it means and what to do first. */
    readonly description: string;
    /** A section of the runbook, from the root of this repository. */
    readonly runbook: string;
    /** The uid of the dashboard that shows it. */
    readonly dashboard: string;
  };
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

export const ALERT_RULES_FILE: URL = new URL('../prometheus/rules/relay.rules.yml', import.meta.url);

/** All alerts, in the order of the file. One name may stand there several times, with a severity each. */
export function readAlertRules(text: string = readFileSync(ALERT_RULES_FILE, 'utf8')): readonly AlertRule[] {
  const { groups } = parse(text) as RuleFile;
  return groups.flatMap(({ rules }) => rules);
}
