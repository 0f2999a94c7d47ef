/** The rows of a running workspace, for its export. */
import type { Stage } from '../staging/stage.ts';
import type { StoredSegment } from '../tables/catalogue.ts';
import type { TableSchema } from '../tables/column.ts';
import type { Chunk } from '../tables/scan.ts';
import { HOUR_MS } from './layout.ts';
import type { ExportSource, ReceivedRange } from './source.ts';

export interface StageSource extends ExportSource {
  /** Learns which tables there are now. To be called before each run. */
  refresh(): Promise<void>;
}

/** What is read stays readable until the reading has ended, whatever becomes of the tables meanwhile. */
export function createStageSource(stage: Pick<Stage, 'ask' | 'settledBefore'>): StageSource {
  let known: readonly TableSchema[] = [];
  return {
    async refresh() {
      known = await stage.ask('schemas', undefined);
    },
    tables: () => known,
    settledBefore: stage.settledBefore,
    async hours(range) {
      const segments = (await stage.ask('segments', undefined)).filter((segment) => isIn(segment, range));
      return [...new Set(segments.flatMap((segment) => hoursOf(segment, range)))].sort((a, b) => a - b);
    },
    async *rows(range): AsyncGenerator<Chunk> {
      const { hold, segments } = await stage.ask('hold', undefined);
      try {
        for (const segment of segments.filter((one) => isIn(one, range))) {
          const { rows, vectors } = await stage.ask('chunk', { segment });
          yield { rows, vectors: new Map(vectors) };
        }
      } finally {
        await stage.ask('release', { hold });
      }
    },
  };
}

function isIn({ table, minReceived, maxReceived }: StoredSegment, range: ReceivedRange): boolean {
  return table === range.table && maxReceived >= range.from && minReceived < range.to;
}

function hoursOf({ minReceived, maxReceived }: StoredSegment, { from, to }: ReceivedRange): number[] {
  const hours: number[] = [];
  const first = Math.max(minReceived, from);
  for (let hour = first - (first % HOUR_MS); hour <= maxReceived && hour < to; hour += HOUR_MS) hours.push(hour);
  return hours;
}
