import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { BATCH_ID_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, type Machine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { startSite } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
}

interface TraceRequest {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** An OpenTelemetry collector's end of OTLP over HTTP, which wants a token. */
async function startCollector(token: string): Promise<AsyncDisposable & { readonly url: string; readonly spans: Span[]; readonly refused: () => number }> {
  const spans: Span[] = [];
  let refused = 0;
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.headers.authorization !== `Bearer ${token}`) {
        refused += 1;
        response.writeHead(401).end();
        return;
      }
      const body = (await json(request)) as TraceRequest;
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader('content-type', 'application/json').end('{}');
    };
    answer().catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    spans,
    refused: () => refused,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function send(machine: Machine, number: number): Promise<string> {
  const { status, headers } = await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(machine.agentId, number).body);
  assert.equal(status, 200);
  return String(headers[BATCH_ID_HEADER]);
}

test('a batch’s life is a trace under its own id: received, sealed, stored, indexed, sent in vain, sent', async () => {
  await using folder = await temporaryFolder();
  await using collector = await startCollector('s3cret-of-the-collector');
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, 's3cret-of-the-collector\n', { mode: 0o600 });
  await using site = await startSite({ sections: { tracing: { endpoint: collector.url, oneIn: 1, tokenFile } } });
  const [machine] = await site.machines(1);
  assert.ok(machine);
  const { local } = site.upstream();
  await local.setFault({ mode: 'error', path: 'data', times: 1 });
  const id = await send(machine, 1);
  await eventually('it is delivered', () => local.batchIds(site.upstream().workspaceId).includes(id as never));
  const ofBatch = (): readonly Span[] => collector.spans.filter(({ traceId }) => traceId === id.replaceAll('-', ''));
  await eventually('all of its spans are there', () => ofBatch().length >= 7);
  const names = ofBatch().map(({ name, status }) => (status.code === 2 ? `${name} failed` : name));
  assert.deepEqual(names.toSorted(), ['batch', 'index', 'receive', 'seal', 'send', 'send failed', 'store']);
  const root = ofBatch().find(({ name }) => name === 'batch');
  assert.ok(root && !root.parentSpanId);
  for (const span of ofBatch()) {
    if (span !== root) assert.equal(span.parentSpanId, root.spanId, span.name);
    assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), span.name);
  }
  assert.doesNotMatch(site.relay.log(), /s3cret/);
});

test('a collector that is away, or refuses, costs spans and nothing else', async () => {
  await using folder = await temporaryFolder();
  await using collector = await startCollector('another token');
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, 'the wrong one', { mode: 0o600 });
  await using site = await startSite({ sections: { tracing: { endpoint: collector.url, oneIn: 1, tokenFile } } });
  const [machine] = await site.machines(1);
  assert.ok(machine);
  const ids = [await send(machine, 1), await send(machine, 2)];
  const { local, workspaceId } = site.upstream();
  await eventually('they are delivered', () => ids.every((id) => local.batchIds(workspaceId).includes(id as never)));
  await eventually('the collector was asked, and refused', () => collector.refused() > 0);
  assert.equal((await site.relay.end('SIGTERM')).code, 0);
});
