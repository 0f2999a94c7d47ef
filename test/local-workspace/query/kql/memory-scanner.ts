import type { Column } from '../../../../src/local-workspace/tables/column.ts';
import type { Chunk, Scanner, ScanRequest } from '../../../../src/local-workspace/tables/scan.ts';
import { NO_TEXT, type Vector } from '../../../../src/local-workspace/tables/vector.ts';

/** A table as its rows; `null` where a row has nothing. Times are ISO texts or milliseconds, truth values are `true` and `false`. */
export interface MemoryTable {
  readonly name: string;
  readonly columns: readonly Column[];
  /** The rows of each chunk. */
  readonly chunks: readonly (readonly (readonly unknown[])[])[];
}

export interface MemoryScanner extends Scanner {
  /** What was asked for so far, in order. */
  readonly requests: readonly ScanRequest[];
  /** Chunks that were given so far. */
  chunksRead(): number;
}

/** Keeps tables in memory and hands them out chunk by chunk. A column without any value in a chunk is missing from it, as from a real one. */
export function createMemoryScanner(tables: readonly MemoryTable[]): MemoryScanner {
  const requests: ScanRequest[] = [];
  let read = 0;
  return {
    requests,
    chunksRead: () => read,
    tables: () => tables.map(({ name, columns }) => ({ name, columns })),
    async *scan(request) {
      requests.push(request);
      const table = tables.find(({ name }) => name === request.table);
      for (const rows of table?.chunks ?? []) {
        read += 1;
        yield chunkOf(table?.columns ?? [], rows, request.columns);
      }
    },
  };
}

function chunkOf(columns: readonly Column[], rows: readonly (readonly unknown[])[], wanted: readonly string[]): Chunk {
  const vectors = new Map<string, Vector>();
  for (const name of wanted) {
    const place = columns.findIndex((column) => column.name === name);
    const column = columns[place];
    const cells = rows.map((row) => row[place] ?? null);
    if (column && cells.some((cell) => cell !== null)) vectors.set(name, vectorOf(column.type, cells));
  }
  return { rows: rows.length, vectors };
}

/** A vector of a column's values. */
export function vectorOf(type: Column['type'], cells: readonly unknown[]): Vector {
  if (type === 'string' || type === 'guid' || type === 'dynamic') {
    const dictionary = [...new Set(cells.filter((cell) => cell !== null))] as string[];
    return { kind: 'text', type, dictionary, codes: Uint32Array.from(cells, (cell) => (cell === null ? NO_TEXT : dictionary.indexOf(cell as string))) };
  }
  return { kind: 'number', type, values: Float64Array.from(cells, numberOf) };
}

function numberOf(cell: unknown): number {
  if (cell === null) return Number.NaN;
  return typeof cell === 'string' ? Date.parse(cell) : Number(cell);
}
