/** A column as the Query API names it: `string`, `long`, `real`, `decimal`, `bool`, `datetime`, `timespan`, `guid`, `dynamic` …. */
export interface AnswerColumn {
  readonly name: string;
  readonly type: string;
}

/** What a query gave. */
export interface QueryResult {
  readonly columns: readonly AnswerColumn[];
  readonly rows: readonly (readonly unknown[])[];
  /** Why rows are missing, where some are. */
  readonly partial?: string;
  /** What a `render` at the end of the query asks for. */
  readonly render?: { readonly visualization?: unknown; readonly title?: unknown };
}

/** Why a query gave nothing. */
export interface QueryRefusal {
  readonly status: number;
  readonly message: string;
  /** Where in the query's text: the line from 1, the column from 0. */
  readonly at?: { readonly line: number; readonly pos: number; readonly token: string };
}

export type QueryReply =
  | ({ readonly kind: 'result' } & QueryResult)
  /** The workspace was never fed. */
  | { readonly kind: 'no-data' }
  | ({ readonly kind: 'refused' } & QueryRefusal);

interface WireError {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly WireError[];
  readonly innererror?: WireError;
  readonly line?: number;
  readonly pos?: number;
  readonly token?: string;
}

interface WireAnswer {
  readonly tables?: readonly { readonly columns: QueryResult['columns']; readonly rows: QueryResult['rows'] }[];
  readonly render?: QueryResult['render'];
  readonly error?: WireError;
}

/** Reads what the Query API answered; undefined when it is none of its answers. */
export function readQueryAnswer(status: number, text: string): QueryReply | undefined {
  if (status === 204) return { kind: 'no-data' };
  const answer = parse(text);
  if (status !== 200) return answer?.error && { kind: 'refused', status, ...refusalIn(answer.error) };
  const [table] = answer?.tables ?? [];
  if (!answer || !table) return undefined;
  const partial = answer.error && { partial: innermost(answer.error.details?.[0] ?? answer.error).message ?? 'The answer is not whole.' };
  return { kind: 'result', columns: table.columns, rows: table.rows, ...partial, ...(answer.render ? { render: answer.render } : {}) };
}

function refusalIn(error: WireError): Omit<QueryRefusal, 'status'> {
  const { message = '', line, pos, token = '' } = innermost(error);
  return { message, ...(line === undefined || pos === undefined ? {} : { at: { line, pos, token } }) };
}

function innermost(error: WireError): WireError {
  return error.innererror ? innermost(error.innererror) : error;
}

function parse(text: string): WireAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A cell as text; null is empty. */
export function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}
