import { stringify } from 'yaml';

/** What Prometheus scrapes: targets of one kind. */
export interface Job {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly scheme?: 'http' | 'https';
  readonly credentials?: Credentials;
  /** The certificate authorities that a target's certificate may come from. The system's unless given. */
  readonly caFile?: string;
}

export interface Target {
  /** Host and port. */
  readonly address: string;
  /** The label `instance`; the address unless given. */
  readonly instance?: string;
}

/** How Prometheus shows who it is: it reads the secret from the file at each scrape. */
export type Credentials = { readonly bearerTokenFile: string } | { readonly userName: string; readonly passwordFile: string };

export interface PrometheusSettings {
  readonly scrapeEveryMs: number;
  readonly evaluateEveryMs: number;
  readonly jobs: readonly Job[];
  /** Alert and recording rules; Prometheus does not start with a wrong one. */
  readonly ruleFiles?: readonly string[];
}

/** The text of Prometheus's configuration file. */
export function prometheusConfiguration({ scrapeEveryMs, evaluateEveryMs, jobs, ruleFiles = [] }: PrometheusSettings): string {
  return stringify({
    global: { scrape_interval: `${scrapeEveryMs}ms`, scrape_timeout: `${scrapeEveryMs}ms`, evaluation_interval: `${evaluateEveryMs}ms` },
    rule_files: ruleFiles,
    scrape_configs: jobs.map(scrapeOf),
  });
}

function scrapeOf({ name, targets, scheme = 'http', credentials, caFile }: Job): object {
  return {
    job_name: name,
    scheme,
    static_configs: targets.map(({ address, instance }) => ({ targets: [address], ...(instance === undefined ? {} : { labels: { instance } }) })),
    ...(credentials === undefined ? {} : signInOf(credentials)),
    ...(caFile === undefined ? {} : { tls_config: { ca_file: caFile } }),
  };
}

function signInOf(credentials: Credentials): object {
  return 'bearerTokenFile' in credentials
    ? { authorization: { type: 'Bearer', credentials_file: credentials.bearerTokenFile } }
    : { basic_auth: { username: credentials.userName, password_file: credentials.passwordFile } };
}
