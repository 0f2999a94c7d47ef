// The answers of Azure Monitor's documentation and of its recorded service, field by field.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableAnswer } from '../../../../src/local-workspace/query/api/query-runner.ts';
import { BANK, CORRELATION_ID, HEARTBEAT, jsonOf, ONE, QUERY_PATH, startQueryApi } from './query-api-rig.ts';

const ACTIVITY: TableAnswer = {
  kind: 'table',
  columns: [
    { name: 'Category', type: 'string' },
    { name: 'count_', type: 'long' },
  ],
  rows: [
    ['Administrative', 20839],
    ['Recommendation', 122],
    ['Alert', 64],
    ['ServiceHealth', 11],
  ],
  scannedRows: 21036,
};

test('the answer of "Response format" has its fields and no others', async (t) => {
  const { post } = await startQueryApi(t, { run: () => ACTIVITY });
  const response = await post({ query: 'AzureActivity | summarize count() by Category' });
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'application/json; charset=utf-8');
  assert.deepEqual(jsonOf(response), {
    tables: [
      {
        name: 'PrimaryResult',
        columns: [
          { name: 'Category', type: 'string' },
          { name: 'count_', type: 'long' },
        ],
        rows: [
          ['Administrative', 20839],
          ['Recommendation', 122],
          ['Alert', 64],
          ['ServiceHealth', 11],
        ],
      },
    ],
  });
});

test('the render of "Prefer options" is told when it is asked for', async (t) => {
  const render = { visualization: 'barchart', properties: { title: '24H Perf events' } };
  const { post } = await startQueryApi(t, { run: () => ({ ...ONE, render }) });
  const body = { query: "Perf | summarize count() by bin(TimeGenerated, 4h) | render barchart title='24H Perf events'", timespan: 'P1D' };
  const { render: told } = jsonOf(await post(body, { prefer: 'include-render=true' })) as { render: unknown };
  assert.deepEqual(told, {
    visualization: 'barchart',
    title: '24H Perf events',
    accumulate: false,
    isQuerySorted: false,
    kind: 'default',
    annotation: '',
    by: null,
  });
  assert.ok(!('render' in (jsonOf(await post(body)) as object)));
});

test('an answer cut short is a 200 with the rows and a PartialError', async (t) => {
  for (const [reason, limit] of [
    ['rows', '500000 records'],
    ['bytes', '104857600 bytes'],
  ] as const) {
    const { post } = await startQueryApi(t, { run: () => ({ ...ONE, truncated: { reason } }) });
    const response = await post({ query: 'Heartbeat' });
    assert.equal(response.statusCode, 200);
    const { tables, error } = jsonOf(response) as { tables: { rows: unknown[] }[]; error: { details: { innererror: { message: string } }[] } };
    assert.deepEqual(tables[0]?.rows, [[5]]);
    const message = error.details[0]?.innererror.message ?? '';
    assert.match(message, new RegExp(`exceed the set limit of ${limit}, so not all records were returned \\(E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003\\)`));
    assert.deepEqual(error, {
      code: 'PartialError',
      message: 'There were some errors when processing your query.',
      details: [
        {
          code: 'EngineError',
          message: 'Something went wrong processing your query on the server.',
          innererror: { code: '-2133196797', message, severity: 2, severityName: 'Error' },
        },
      ],
    });
  }
});

test('a query that cannot be parsed is refused as the recorded service refused "completely invalid syntax"', async (t) => {
  const message = "Query could not be parsed at 'invalid' on line [1,11]";
  const fault = { kind: 'syntax-error', message, line: 1, position: 12, offset: 11, token: 'invalid' } as const;
  const { post } = await startQueryApi(t, { run: () => fault });
  const response = await post({ query: 'completely invalid syntax', timespan: 'P1D' });
  assert.equal(response.statusCode, 400);
  assert.deepEqual(jsonOf(response), {
    error: {
      message: 'The request had some invalid properties',
      code: 'BadArgumentError',
      correlationId: CORRELATION_ID,
      innererror: {
        code: 'SyntaxError',
        message: 'A recognition error occurred in the query.',
        innererror: { code: 'SYN0002', message, line: 1, pos: 11, token: 'invalid' },
      },
    },
  });
});

test('a query that means nothing is refused as a SemanticError', async (t) => {
  const message = "'where' operator: Failed to resolve column or scalar expression named 'Error'";
  const fault = { kind: 'semantic-error', message, line: 2, position: 9, offset: 20, token: 'Error', code: 'SEM0100' } as const;
  const { post } = await startQueryApi(t, { run: () => fault });
  assert.deepEqual(jsonOf(await post({ query: 'Event\n| where Error' })), {
    error: {
      message: 'The request had some invalid properties',
      code: 'BadArgumentError',
      correlationId: CORRELATION_ID,
      innererror: {
        code: 'SemanticError',
        message: 'A semantic error occurred.',
        innererror: { code: 'SEM0100', message, line: 2, pos: 8, token: 'Error' },
      },
    },
  });
});

test('the errors of "API errors" have the documented status, code and message', async (t) => {
  const documented = [
    { refusal: { status: 401, code: 'AuthenticationFailed', message: "Authentication failed. The 'Authorization' header is missing." } },
    { refusal: { status: 403, code: 'InvalidAuthenticationToken', message: 'The access token is invalid.' } },
    {
      refusal: {
        status: 403,
        code: 'InsufficientAccessError',
        message: 'The provided credentials have insufficient access to perform the requested operation',
      },
    },
  ];
  for (const { refusal } of documented) {
    const { post } = await startQueryApi(t, { refusal });
    const response = await post({ query: 'Heartbeat' });
    assert.equal(response.statusCode, refusal.status);
    assert.deepEqual(jsonOf(response), { error: { message: refusal.message, code: refusal.code, correlationId: CORRELATION_ID } });
    assert.equal(response.headers['www-authenticate'], refusal.status === 401 ? 'Bearer' : undefined);
  }
  const { server } = await startQueryApi(t);
  const response = await server.inject({ method: 'PUT', url: QUERY_PATH });
  const { error } = jsonOf(response) as { error: { message: string; code: string } };
  assert.deepEqual([response.statusCode, error.code, error.message], [404, 'PathNotFoundError', 'The requested path does not exist']);
});

test('a workspace without data answers 204, as documented', async (t) => {
  const { post, asked } = await startQueryApi(t, { tables: [] });
  const response = await post({ query: 'Heartbeat' });
  assert.deepEqual([response.statusCode, response.payload, asked.length], [204, '', 0]);
});

test('a POST without JSON is refused with words, where the service answers an empty 200', async (t) => {
  const { post } = await startQueryApi(t);
  const cases = [
    { payload: '{"query":"Heartbeat"}', headers: { 'content-type': 'text/plain' }, status: 415, word: /Content-Type is \\"text\/plain\\"/ },
    { payload: '{"query":"Heartbeat"}', headers: { 'content-encoding': 'gzip' }, status: 415, word: /Content-Encoding is \\"gzip\\"/ },
    { payload: '', headers: {}, status: 400, word: /The body is empty/ },
  ];
  for (const { payload, headers, status, word } of cases) {
    const response = await post(payload, headers as Record<string, string>);
    assert.equal(response.statusCode, status);
    assert.match(response.payload, word);
  }
});

test('statistics, data sources and permissions are told when they are asked for', async (t) => {
  const { post, clock } = await startQueryApi(t, {
    run: () => {
      clock.advance(625);
      return { ...ACTIVITY, tables: ['AzureActivity'] };
    },
  });
  const prefer = 'wait=600, ai.include-statistics=true, include-dataSources=true,include-permissions=true';
  const { statistics, dataSources, permissions } = jsonOf(await post({ query: 'AzureActivity' }, { prefer })) as Record<string, unknown>;
  const resourceId = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.OperationalInsights/workspaces/${BANK}`;
  const tableSize = JSON.stringify(ACTIVITY.rows).length - 2;
  assert.deepEqual(statistics, {
    query: { executionTime: 0.625, inputDatasetStatistics: { rows: { scanned: 21036 } }, datasetStatistics: [{ tableRowCount: 4, tableSize }] },
  });
  assert.deepEqual(dataSources, [{ resourceId, region: 'local', workspace: BANK, tables: ['AzureActivity'] }]);
  assert.deepEqual(permissions, { resources: [], dataSources: [{ resourceId }] });
});

test('metadata tells tables and columns as the service does', async (t) => {
  const { server, decided } = await startQueryApi(t);
  for (const method of ['GET', 'POST']) {
    const { tables, workspaces } = jsonOf(await server.inject({ method, url: `/v1/workspaces/${BANK}/metadata` })) as {
      tables: { columns: unknown[] }[];
      workspaces: unknown[];
    };
    assert.deepEqual(tables, [
      {
        id: 'Heartbeat',
        name: 'Heartbeat',
        timespanColumn: 'TimeGenerated',
        columns: HEARTBEAT.columns,
        related: { workspaces: [BANK] },
      },
    ]);
    assert.equal(workspaces.length, 1);
  }
  assert.deepEqual(decided, ['tables.list', 'tables.list']);
});
