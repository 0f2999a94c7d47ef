/** Every way in which the Query API refuses or fails: the one table from which replies, the documentation and the tests are made. */

/** One class of errors. */
export interface ErrorClass {
  readonly status: number;
  /** `error.code`. */
  readonly code: string;
  /** `error.innererror.code`, where there is one. */
  readonly inner?: string;
  /** `error.message`, where it is the same for all; the inner error then tells what was wrong. */
  readonly message?: string;
  readonly when: string;
  /** Where the status and codes come from. */
  readonly source: 'documented' | 'ours';
}

export type QueryErrorName =
  | 'syntaxError'
  | 'semanticError'
  | 'badBody'
  | 'badTimespan'
  | 'crossWorkspace'
  | 'tooLarge'
  | 'badSavedQuery'
  | 'authenticationFailed'
  | 'invalidToken'
  | 'insufficientAccess'
  | 'pathNotFound'
  | 'noSavedQuery'
  | 'slowBody'
  | 'bodyTooLarge'
  | 'notJson'
  | 'tooManyRequests'
  | 'queueFull'
  | 'queueTimeout'
  | 'failed'
  | 'unavailable'
  | 'timeout';

const BAD_ARGUMENT = { status: 400, code: 'BadArgumentError', message: 'The request had some invalid properties' } as const;

/** By name. The documented ones are those of Azure Monitor's pages "API errors" and "Timeouts". */
export const QUERY_ERRORS: Readonly<Record<QueryErrorName, ErrorClass>> = {
  syntaxError: { ...BAD_ARGUMENT, inner: 'SyntaxError', when: 'the query cannot be parsed; line, position and word are named', source: 'documented' },
  semanticError: {
    ...BAD_ARGUMENT,
    inner: 'SemanticError',
    when: 'the query names a table, column or function that is not there, or types do not fit',
    source: 'documented',
  },
  badBody: { ...BAD_ARGUMENT, inner: 'InvalidRequest', when: 'the body or the query string is not what the API takes', source: 'ours' },
  badTimespan: { ...BAD_ARGUMENT, inner: 'InvalidTimespan', when: 'timespan is neither an ISO 8601 duration nor an interval', source: 'ours' },
  crossWorkspace: { ...BAD_ARGUMENT, inner: 'CrossWorkspaceNotSupported', when: 'workspaces names another workspace than the one in the path', source: 'ours' },
  tooLarge: {
    ...BAD_ARGUMENT,
    inner: 'E_RUNAWAY_QUERY',
    when: 'the query needs more memory than one query may have (Kusto error 0x80DA0001)',
    source: 'documented',
  },
  badSavedQuery: { ...BAD_ARGUMENT, inner: 'InvalidSavedQuery', when: 'the name or the text of a saved query is not what the API takes', source: 'ours' },
  authenticationFailed: {
    status: 401,
    code: 'AuthenticationFailed',
    when: 'there is no Authorization header, or it holds no Bearer token',
    source: 'documented',
  },
  invalidToken: { status: 403, code: 'InvalidAuthenticationToken', when: 'the token is unknown, changed, revoked or too old', source: 'documented' },
  insufficientAccess: { status: 403, code: 'InsufficientAccessError', when: 'the token has no right to this in this workspace', source: 'documented' },
  pathNotFound: {
    status: 404,
    code: 'PathNotFoundError',
    inner: 'PathNotFound',
    message: 'The requested path does not exist',
    when: 'there is no such path, its workspace id is no GUID, or it does not take this method',
    source: 'documented',
  },
  noSavedQuery: { status: 404, code: 'ResourceNotFoundError', when: 'the workspace has no saved query of this name', source: 'documented' },
  slowBody: { status: 408, code: 'RequestTimeout', when: 'the body did not come in time', source: 'ours' },
  bodyTooLarge: { status: 413, code: 'PayloadTooLarge', when: 'the body is too long', source: 'ours' },
  notJson: {
    status: 415,
    code: 'UnsupportedMediaType',
    when: 'Content-Type is not application/json, or the body is compressed (the service answers an empty 200)',
    source: 'ours',
  },
  tooManyRequests: {
    status: 429,
    code: 'TooManyRequests',
    when: 'the user made more requests than allowed; Retry-After says when to come again',
    source: 'documented',
  },
  queueFull: { status: 429, code: 'TooManyRequests', when: 'too many queries of the user wait already', source: 'documented' },
  queueTimeout: { status: 429, code: 'TooManyRequests', when: 'the query waited too long behind others of the user', source: 'documented' },
  failed: { status: 500, code: 'InternalServerError', when: 'the service failed; the log has the correlation id', source: 'ours' },
  unavailable: {
    status: 503,
    code: 'ServiceUnavailable',
    when: 'the data cannot be read now, as while the key of the workspace is taken away',
    source: 'documented',
  },
  timeout: {
    status: 504,
    code: 'GatewayTimeout',
    inner: 'GatewayTimeout',
    message: 'Gateway timeout',
    when: 'the query ran longer than Prefer: wait allows',
    source: 'documented',
  },
};

/** The table in Markdown, for the documentation. */
export function errorsInMarkdown(): string {
  const cells = Object.values(QUERY_ERRORS).map(({ status, code, inner, when, source }) => [
    String(status),
    `\`${code}\``,
    inner === undefined ? '' : `\`${inner}\``,
    when,
    source,
  ]);
  const rows = [['status', 'code', 'innererror', 'when', 'source'], ['---', '---', '---', '---', '---'], ...cells];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}
