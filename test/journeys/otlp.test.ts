import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { type HrTime, type Logger, type LogRecord, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { CreatedSender } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { startAzureSite } from '../support/azure-site.ts';
import { eventually } from '../support/eventually.ts';
import type { RelayProcess } from '../support/relay-process.ts';
import { BANK, startSite } from '../support/site.ts';

const RECORDS = 3_000;
const A_TABLE = 200;
const START_S = Math.floor(Date.now() / 1000) - 3_600;
const RESOURCE = { 'service.name': 'orders', 'host.name': 'node01.example.org', 'process.pid': 4711 };
const SPAN: SpanContext = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', traceFlags: 1 };

type Row = Readonly<Record<string, unknown>>;
type Exporters = Readonly<Record<string, (options: ExporterOptions) => LogRecordExporter>>;

interface ExporterOptions {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly httpAgentOptions: { readonly ca: string };
  readonly timeoutMillis: number;
}

const EXPORTERS: Exporters = {
  'protobuf, gzip': (options) => new ProtobufExporter({ ...options, compression: CompressionAlgorithm.GZIP }),
  protobuf: (options) => new ProtobufExporter(options),
  'JSON, gzip': (options) => new JsonExporter({ ...options, compression: CompressionAlgorithm.GZIP }),
  JSON: (options) => new JsonExporter(options),
};

/** What is sent under each number: nine kinds of bodies, one after the other, and what a row has of them. */
const BODIES: readonly (readonly [sent: unknown, arrives: unknown])[] = [
  ['a text', 'a text'],
  ['gr\u00fc\u00dfe "\u4e16\u754c" \u{1f30d}\n\ttab', 'gr\u00fc\u00dfe "\u4e16\u754c" \u{1f30d}\n\ttab'],
  ['', ''],
  [false, false],
  [-42, -42],
  [0.1, 0.1],
  [2.5e-7, 2.5e-7],
  [new Uint8Array([255, 0, 128]), '/wCA'],
  [
    { list: [1, 'two', [3.5]], inner: { deep: true } },
    { list: [1, 'two', [3.5]], inner: { deep: true } },
  ],
];

function recordOf(number: number): LogRecord {
  const timestamp: HrTime = [START_S + Math.floor(number / 1_000), (number % 1_000) * 1_000_000 + 1_000];
  return {
    timestamp,
    observedTimestamp: [START_S + 1_800, 0],
    severityNumber: 1 + (number % 24),
    severityText: `level ${number % 24}`,
    body: BODIES[number % BODIES.length]?.[0],
    attributes: { number, 'code.function': 'pay', tags: ['a', 'b'] },
    ...(number % 2 === 0 ? { context: trace.setSpanContext(ROOT_CONTEXT, SPAN) } : {}),
    ...(number % 5 === 0 ? { eventName: 'order.paid' } : {}),
  };
}

function rowOf(number: number): Row {
  const ms = (START_S + Math.floor(number / 1_000)) * 1_000 + (number % 1_000);
  return {
    TimeGenerated: new Date(ms).toISOString().replace('Z', '001Z'),
    ObservedTime: new Date((START_S + 1_800) * 1_000).toISOString(),
    SeverityNumber: 1 + (number % 24),
    SeverityText: `level ${number % 24}`,
    Body: BODIES[number % BODIES.length]?.[1],
    Attributes: { number, 'code.function': 'pay', tags: ['a', 'b'] },
    ...(number % 2 === 0 ? { TraceId: SPAN.traceId, SpanId: SPAN.spanId, Flags: 1 } : {}),
    ...(number % 5 === 0 ? { EventName: 'order.paid' } : {}),
    ScopeName: 'checkout',
    ScopeVersion: '1.4.2',
    Computer: 'node01.example.org',
    Resource: RESOURCE,
  };
}

/** A program's logger that sends through the relay by one of the exporters. */
async function startLogger(
  relay: RelayProcess,
  name: string,
  make: (options: ExporterOptions) => LogRecordExporter,
): Promise<{ readonly logger: Logger; flush(): Promise<void>; stop(): Promise<void> }> {
  const { secret } = await ask<CreatedSender>(relay.socket, 'POST', '/senders', { name, workspaceId: BANK });
  const exporter = make({
    url: `https://127.0.0.1:${relay.port()}/v1/logs`,
    headers: { 'x-api-key': secret },
    httpAgentOptions: { ca: await readFile(relay.rootFile, 'utf8') },
    timeoutMillis: 20_000,
  });
  const processor = new BatchLogRecordProcessor({ exporter, maxQueueSize: RECORDS, maxExportBatchSize: 512 });
  const provider = new LoggerProvider({ resource: resourceFromAttributes(RESOURCE), processors: [processor] });
  return { logger: provider.getLogger('checkout', '1.4.2'), flush: () => provider.forceFlush(), stop: () => provider.shutdown() };
}

async function sendAll(t: TestContext, relay: RelayProcess, each: number): Promise<void> {
  for (const [at, [name, make]] of Object.entries(EXPORTERS).entries()) {
    const { logger, flush, stop } = await startLogger(relay, name.replace(', ', '-'), make);
    for (let number = at * each; number < (at + 1) * each; number += 1) logger.emit(recordOf(number));
    await flush();
    await stop();
    t.diagnostic(`${each} records by ${name}`);
  }
}

function numberOf({ Attributes: attributes }: Row): number {
  const read: unknown = typeof attributes === 'string' ? JSON.parse(attributes) : attributes;
  return (read as { readonly number: number }).number;
}

/** A row as a custom log keeps it: what is nested as a text, times to the millisecond. */
function customOf(row: Row): Row {
  const written = (value: unknown): unknown => (typeof value === 'object' ? JSON.stringify(value) : value);
  const fields = Object.entries(row).map(([name, value]) => [name, written(value)]);
  return { ...Object.fromEntries(fields), TimeGenerated: String(row['TimeGenerated']).replace('001Z', 'Z') };
}

/** Fails where a row is missing, is there twice, or is not what was sent. */
function compare(rows: readonly Row[], count: number): void {
  const byNumber = new Map(rows.map((row) => [numberOf(row), row]));
  assert.deepEqual([rows.length, byNumber.size], [count, count]);
  for (let number = 0; number < count; number += 1) assert.deepEqual(byNumber.get(number), customOf(rowOf(number)));
}

test('what the OpenTelemetry exporters send in protobuf and JSON, compressed or not, arrives as it was sent, once, though the workspace was away', async (t) => {
  await using site = await startSite();
  const { local } = site.upstream();
  await local.setFault({ mode: 'down' });
  const each = RECORDS / Object.keys(EXPORTERS).length;
  await sendAll(t, site.relay, each);
  assert.equal((await local.query(BANK, { limit: 1 })).length, 0);
  await local.setFault({ mode: 'none' });
  const rows = await eventually('all records are there', async () => {
    const records = await local.query(BANK, { dataType: 'OTelLogs', limit: 10_000 });
    return records.length >= RECORDS && records;
  });
  compare(
    rows.map(({ data }) => data as Row),
    RECORDS,
  );
  assert.ok(rows.every(({ data, timeGenerated }) => timeGenerated === (data as Row)['TimeGenerated']));
});

test('the same goes on to a stream of a data collection rule', async (t) => {
  const types = {
    TimeGenerated: 'datetime',
    ObservedTime: 'datetime',
    SeverityNumber: 'int',
    SeverityText: 'string',
    Body: 'dynamic',
    Attributes: 'dynamic',
    TraceId: 'string',
    SpanId: 'string',
    Flags: 'int',
    EventName: 'string',
    ScopeName: 'string',
    ScopeVersion: 'string',
    Computer: 'string',
    Resource: 'dynamic',
  } as const;
  const columns = Object.entries(types).map(([name, type]) => ({ name, type }));
  await using site = await startAzureSite({ streams: { 'Custom-OTelLogs_CL': { table: 'OTelLogs_CL', columns } } });
  const count = A_TABLE * Object.keys(EXPORTERS).length;
  await sendAll(t, site.relay, A_TABLE);
  const { local } = site.upstream;
  const rows = await eventually('all records are there', async () => {
    const found = local.tables(BANK).some(({ rows }) => rows >= count) && (await local.rows(BANK, 'OTelLogs_CL'));
    return found && found.length >= count && found;
  });
  assert.deepEqual(
    rows.map(numberOf).toSorted((a, b) => a - b),
    Array.from({ length: count }, (_, number) => number),
  );
  // The stand-in keeps times to the millisecond.
  for (const { _TimeReceived, ...row } of rows) assert.deepEqual(row, { ...rowOf(numberOf(row)), TimeGenerated: row.TimeGenerated });
  for (const row of rows) assert.equal(row.TimeGenerated, String(rowOf(numberOf(row))['TimeGenerated']).replace('001Z', 'Z'));
});
