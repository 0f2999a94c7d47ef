import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import { MAX_ANSWER_BYTES, MAX_ROWS } from './limits.ts';
import type { Preferences } from './prefer.ts';
import type { TableAnswer } from './query-runner.ts';
import { resourceIdOf } from './resource-id.ts';

export interface AnswerContext {
  readonly workspaceId: WorkspaceId;
  readonly prefer: Preferences;
  readonly durationMs: number;
}

/** Rows of one piece; what has no more goes out in one. */
export const ROWS_AT_ONCE = 1_000;
/** Kusto's code 0x80DA0003 as the service writes it. */
const RESULT_SET_TOO_LARGE = '-2133196797';
/** What is told of a chart whose query does not say (Azure Monitor: "Prefer options"). */
const RENDER_DEFAULTS = { title: null, accumulate: false, isQuerySorted: false, kind: 'default', annotation: '', by: null } as const;

/**
 * The body of an answer in pieces of at most a thousand rows, so that a large one neither stands in memory twice nor holds up others while it is
 * written: `{ tables, render?, statistics?, dataSources?, permissions?, error? }`.
 */
export function* answerBody(answer: TableAnswer, context: AnswerContext): Generator<string> {
  let bytes = 0;
  yield `{"tables":[{"name":"PrimaryResult","columns":${JSON.stringify(answer.columns.map(({ name, type }) => ({ name, type })))},"rows":[`;
  for (let at = 0; at < answer.rows.length; at += ROWS_AT_ONCE) {
    const piece = JSON.stringify(answer.rows.slice(at, at + ROWS_AT_ONCE)).slice(1, -1);
    bytes += Buffer.byteLength(piece);
    yield at === 0 ? piece : `,${piece}`;
  }
  const more = Object.entries(besides(answer, context, bytes)).map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`);
  yield `]}]${more.join('')}}`;
}

function besides(answer: TableAnswer, { workspaceId, prefer, durationMs }: AnswerContext, bytes: number): Record<string, unknown> {
  const resourceId = resourceIdOf(workspaceId);
  return {
    ...(prefer.render && answer.render ? { render: { ...RENDER_DEFAULTS, ...answer.render.properties, visualization: answer.render.visualization } } : {}),
    ...(prefer.statistics ? { statistics: statisticsOf(answer, durationMs, bytes) } : {}),
    ...(prefer.dataSources ? { dataSources: [{ resourceId, region: 'local', workspace: workspaceId, tables: answer.tables ?? [] }] } : {}),
    ...(prefer.permissions ? { permissions: { resources: [], dataSources: [{ resourceId }] } } : {}),
    ...(answer.truncated ? { error: partialError(answer.truncated.reason) } : {}),
  };
}

// Only what is measured: the service also gives figures of its processors and caches.
function statisticsOf({ rows, scannedRows }: TableAnswer, durationMs: number, tableSize: number): unknown {
  return {
    query: {
      executionTime: durationMs / 1_000,
      inputDatasetStatistics: { rows: { scanned: scannedRows } },
      datasetStatistics: [{ tableRowCount: rows.length, tableSize }],
    },
  };
}

function partialError(reason: 'rows' | 'bytes'): unknown {
  const limit = reason === 'rows' ? `${MAX_ROWS} records` : `${MAX_ANSWER_BYTES} bytes`;
  const message = `The results of this query exceed the set limit of ${limit}, so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). Summarize, or ask for less time.`;
  return {
    code: 'PartialError',
    message: 'There were some errors when processing your query.',
    details: [
      {
        code: 'EngineError',
        message: 'Something went wrong processing your query on the server.',
        innererror: { code: RESULT_SET_TOO_LARGE, message, severity: 2, severityName: 'Error' },
      },
    ],
  };
}
