import { RelayError } from '../errors.ts';

export type Labels = Readonly<Record<string, string>>;

/** One series at one moment. A scalar has no labels. */
export interface Sample {
  readonly labels: Labels;
  /** Seconds since 1970. */
  readonly at: number;
  /** May be NaN or an infinity. */
  readonly value: number;
}

/** One series over time, oldest first; a moment without a value has no point. */
export interface Series {
  readonly labels: Labels;
  readonly points: readonly (readonly [at: number, value: number])[];
}

export interface TargetState {
  readonly job: string;
  readonly instance: string;
  readonly url: string;
  readonly health: 'up' | 'down' | 'unknown';
  /** Why the last scrape failed; empty when it did not. */
  readonly lastError: string;
  readonly lastScrapeSeconds: number;
}

export interface AlertState {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** When its expression first gave this series. */
  readonly activeAt: Date;
  readonly value: number;
}

export interface RuleState {
  readonly group: string;
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'err' | 'unknown';
  /** Why the last evaluation failed; empty when it did not. */
  readonly lastError: string;
  readonly query: string;
}

/** Asks a Prometheus by its HTTP API. Every call throws `relay.prometheus.refused` with Prometheus's own words when it does not answer a question. */
export interface PrometheusClient {
  /** The value of an expression now, or at `at`. */
  query(expression: string, at?: Date): Promise<readonly Sample[]>;
  /** Its values from `from` to `to`, both included, every `stepSeconds`. */
  queryRange(expression: string, from: Date, to: Date, stepSeconds: number): Promise<readonly Series[]>;
  targets(): Promise<readonly TargetState[]>;
  /** Alerts that are pending or fire. */
  alerts(): Promise<readonly AlertState[]>;
  rules(): Promise<readonly RuleState[]>;
}

type Point = readonly [at: number, value: string];
type QueryData =
  | { readonly resultType: 'vector'; readonly result: readonly { readonly metric: Labels; readonly value: Point }[] }
  | { readonly resultType: 'scalar'; readonly result: Point }
  | { readonly resultType: 'matrix'; readonly result: readonly { readonly metric: Labels; readonly values: readonly Point[] }[] };

interface TargetsData {
  readonly activeTargets: readonly {
    readonly labels: Labels;
    readonly scrapeUrl: string;
    readonly health: TargetState['health'];
    readonly lastError: string;
    readonly lastScrapeDuration: number;
  }[];
}
interface AlertsData {
  readonly alerts: readonly {
    readonly labels: Labels;
    readonly annotations: Labels;
    readonly state: AlertState['state'];
    readonly activeAt: string;
    readonly value: string;
  }[];
}
interface RulesData {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly (Pick<RuleState, 'name' | 'type' | 'health' | 'query'> & { readonly lastError?: string })[];
  }[];
}

/** Asks the Prometheus at `url`. */
export function createPrometheusClient(url: string): PrometheusClient {
  const get = <T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> => ask<T>(`${url}/api/v1/${path}`, parameters);
  return {
    async query(expression, at) {
      return samplesOf(await get<QueryData>('query', { query: expression, ...(at ? { time: seconds(at) } : {}) }));
    },
    async queryRange(expression, from, to, stepSeconds) {
      const data = await get<QueryData>('query_range', { query: expression, start: seconds(from), end: seconds(to), step: String(stepSeconds) });
      return data.resultType === 'matrix' ? data.result.map(({ metric, values }) => ({ labels: metric, points: values.map(readPoint) })) : [];
    },
    async targets() {
      const { activeTargets } = await get<TargetsData>('targets', { state: 'active' });
      return activeTargets.map(({ labels, scrapeUrl, health, lastError, lastScrapeDuration }) => ({
        job: labels['job'] ?? '',
        instance: labels['instance'] ?? '',
        url: scrapeUrl,
        health,
        lastError,
        lastScrapeSeconds: lastScrapeDuration,
      }));
    },
    async alerts() {
      const { alerts } = await get<AlertsData>('alerts');
      return alerts.map(({ labels, annotations, state, activeAt, value }) => {
        return { name: labels['alertname'] ?? '', state, labels, annotations, activeAt: new Date(activeAt), value: readValue(value) };
      });
    },
    async rules() {
      const { groups } = await get<RulesData>('rules');
      return groups.flatMap((group) =>
        group.rules.map(({ name, type, health, query, lastError = '' }) => ({ group: group.name, name, type, health, query, lastError })),
      );
    },
  };
}

async function ask<T>(address: string, parameters: Readonly<Record<string, string>>): Promise<T> {
  // By POST an expression may be of any length; the other questions have no such form.
  const form = new URLSearchParams(parameters);
  const isQuery = parameters['query'] !== undefined;
  const reply = await fetch(isQuery ? address : `${address}?${form}`, isQuery ? { method: 'POST', body: form } : {});
  const text = await reply.text();
  const answer = readAnswer<T>(text);
  if (answer?.status === 'success') return answer.data;
  const about = isQuery ? ` The expression was: ${parameters['query']}` : '';
  throw new RelayError('relay.prometheus.refused', `Prometheus answered ${reply.status}: ${answer?.error ?? text.slice(0, 200)}.${about}`);
}

type Answer<T> = { readonly status: 'success'; readonly data: T } | { readonly status: 'error'; readonly error: string };

function readAnswer<T>(text: string): Answer<T> | undefined {
  try {
    return JSON.parse(text) as Answer<T>;
  } catch {
    return undefined;
  }
}

function samplesOf(data: QueryData): readonly Sample[] {
  if (data.resultType === 'scalar') return [sampleOf({}, data.result)];
  return data.resultType === 'vector' ? data.result.map(({ metric, value }) => sampleOf(metric, value)) : [];
}

function sampleOf(labels: Labels, point: Point): Sample {
  const [at, value] = readPoint(point);
  return { labels, at, value };
}

function readPoint([at, value]: Point): readonly [number, number] {
  return [at, readValue(value)];
}

function readValue(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function seconds(at: Date): string {
  return String(at.getTime() / 1000);
}
