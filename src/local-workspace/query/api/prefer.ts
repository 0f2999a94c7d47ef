import { DEFAULT_WAIT_S, MAX_WAIT_S } from './limits.ts';

/** What the Prefer header asks for (Azure Monitor: "Prefer options"; RFC 7240). */
export interface Preferences {
  /** How long the query may run. */
  readonly waitMs: number;
  readonly statistics: boolean;
  readonly render: boolean;
  readonly dataSources: boolean;
  readonly permissions: boolean;
}

const MAX_CHARS = 1_000;

/**
 * Reads a Prefer header. Preferences are wishes: one that is not known or cannot be read counts for nothing, of one given twice the first counts,
 * and a `wait` beyond ten minutes is ten minutes. The portal and Grafana write `ai.` ahead of a name.
 */
export function readPrefer(header: string | undefined): Preferences {
  const found = new Map<string, string>();
  for (const part of (header ?? '').slice(0, MAX_CHARS).split(',')) {
    const [name = '', value = ''] = part.split(';')[0]?.split('=') ?? [];
    const key = name.trim().toLowerCase().replace(/^ai\./, '');
    if (!found.has(key))
      found.set(
        key,
        value
          .trim()
          .replace(/^"(.*)"$/, '$1')
          .toLowerCase(),
      );
  }
  const isAsked = (name: string): boolean => found.get(name) === 'true';
  return {
    waitMs: readWait(found.get('wait')) * 1_000,
    statistics: isAsked('include-statistics'),
    render: isAsked('include-render'),
    dataSources: isAsked('include-datasources'),
    permissions: isAsked('include-permissions'),
  };
}

function readWait(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) return DEFAULT_WAIT_S;
  return Math.min(Math.max(Number(text), 1), MAX_WAIT_S);
}
