import { runQuery } from '../../../../src/local-workspace/query/kql/run-query.ts';
import type { QueryAnswer, QueryContext, QueryTable } from '../../../../src/local-workspace/query/result.ts';
import { createMemoryScanner, type MemoryScanner, type MemoryTable } from './memory-scanner.ts';

/** The time that queries of the tests take for now. */
export const NOW: number = Date.parse('2026-11-29T10:00:00Z');

const G1 = '74be27de-1e4e-49d9-b579-fe0b331d3642';
const G2 = '00000000-0000-0000-0000-000000000002';

/** Seven rows in two chunks, with every type and with nulls; every state has to go from one chunk to the next. */
const EVENTS: MemoryTable = {
  name: 'Events',
  columns: [
    { name: 'TimeGenerated', type: 'datetime' },
    { name: 'Computer', type: 'string' },
    { name: 'Level', type: 'int' },
    { name: 'Size', type: 'long' },
    { name: 'Load', type: 'real' },
    { name: 'Ok', type: 'bool' },
    { name: 'Took', type: 'timespan' },
    { name: 'Id', type: 'guid' },
    { name: 'Data', type: 'dynamic' },
    { name: 'Message', type: 'string' },
    { name: '_TimeReceived', type: 'datetime' },
  ],
  chunks: [
    [
      ['2026-11-29T08:10:00.000Z', 'web-1', 1, 100, 0.5, true, 1_000, G1, '{"a":1,"b":{"c":"deep"},"l":[10,20]}', 'Service started', '2026-11-29T08:10:05Z'],
      ['2026-11-29T08:20:00.000Z', 'web-2', 2, 200, 1.5, false, 60_000, G2, '{"a":2,"name":"x"}', 'Failed password for admin', '2026-11-29T08:20:05Z'],
      ['2026-11-29T08:40:00.250Z', 'web-1', 3, 300, 2.5, true, null, null, null, 'Disk full: /var/log', null],
      ['2026-11-29T09:05:00.000Z', null, 4, null, null, null, 3_600_000, G1, '[1,2,3]', null, null],
    ],
    [
      ['2026-11-29T09:15:00.000Z', 'db-1', 1, 50, 4, false, 90_061_500, G2, '"text"', 'service STOPPED', null],
      ['2026-11-29T09:30:00.000Z', 'web-2', 2, 400, -1.5, true, 1, G1, '{"a":"one"}', 'password changed', null],
      ['2026-11-29T09:45:00.000Z', 'web-1', null, 300, 0.25, true, 5_000, null, '5', 'Service-restart pending', null],
    ],
  ],
};

const MACHINES: MemoryTable = {
  name: 'Machines',
  columns: [
    { name: 'TimeGenerated', type: 'datetime' },
    { name: 'Computer', type: 'string' },
    { name: 'Site', type: 'string' },
    { name: 'Size', type: 'string' },
    { name: 'Level', type: 'long' },
  ],
  chunks: [
    [['2026-11-29T07:00:00Z', 'web-1', 'north', 'large', 1]],
    [
      ['2026-11-29T07:00:00Z', 'web-2', 'south', 'small', 2],
      ['2026-11-29T07:30:00Z', 'web-2', 'west', 'small', 7],
      ['2026-11-29T07:00:00Z', 'mail', 'north', 'small', null],
    ],
  ],
};

const EMPTY: MemoryTable = { name: 'Empty', columns: EVENTS.columns, chunks: [] };

export function createSite(): MemoryScanner {
  return createMemoryScanner([EVENTS, MACHINES, EMPTY]);
}

/** Asks the tables above. */
export async function ask(text: string, changes: Partial<QueryContext> = {}): Promise<QueryAnswer> {
  const limits = { rows: 1_000, bytes: 1_000_000 };
  return runQuery(text, { scanner: createSite(), now: NOW, limits, signal: new AbortController().signal, breathe: async () => {}, ...changes });
}

/** The table that a query gives; fails when it gives none. */
export async function tableOf(text: string, changes: Partial<QueryContext> = {}): Promise<QueryTable> {
  const answer = await ask(text, changes);
  if (answer.kind !== 'table') throw new Error(`${text}: ${JSON.stringify(answer)}`);
  return answer;
}

export async function rowsOf(text: string, changes: Partial<QueryContext> = {}): Promise<QueryTable['rows']> {
  return (await tableOf(text, changes)).rows;
}

/** The only cell of a query's only row. */
export async function resultOf(expression: string): Promise<unknown> {
  return (await rowsOf(`print ${expression}`))[0]?.[0];
}
