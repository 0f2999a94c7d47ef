/**
 * One of the two senders that the benchmark of the transform measures: `relay`, the transport as the relay uses it, or `sdk`,
 * `@azure/monitor-ingestion`. Both get the same uploads of agents and bring the same records to the same place. Says one JSON line at the end.
 */
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { ClientSecretCredential } from '@azure/identity';
import { LogsIngestionClient } from '@azure/monitor-ingestion';
import type { Batch } from '../../src/batch/batch.ts';
import { createBatchId } from '../../src/batch/batch-id.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { connectWorkspace } from '../../src/upstream/connect.ts';
import { createTransformer } from '../../src/upstream/logs-ingestion/transformer.ts';
import { upstreamOptions } from '../../src/upstream/options.ts';
import { createRecordOpener } from '../../src/upstream/record-opener.ts';
import { workspacesOptions } from '../../src/workspace/options.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { seededBytes } from '../cache/batches.ts';
import { createBodies } from './bodies.ts';
import type { TransformTask } from './transform.ts';

const AGENT = parseAgentId('00000000-0000-4000-8000-00000000000a');
/** As many as a group of the cache holds of bodies this size. */
const BATCHES_A_GROUP = 5;
const LARGEST_REQUEST_BYTES = 1_048_576;
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;

type PipelinePolicy = NonNullable<NonNullable<ConstructorParameters<typeof LogsIngestionClient>[2]>['additionalPolicies']>[number]['policy'];

interface Envelope {
  readonly DataItems: readonly Record<string, unknown>[];
}

const [who, text = ''] = process.argv.slice(2);
const task = JSON.parse(text) as TransformTask;
const kinds = createBodies(task.bodyBytes);
const bodies = Array.from({ length: task.batches }, (_, at) => kinds[at % kinds.length] as Buffer);
/** Length of each request's body. */
const sent: number[] = [];
const send = who === 'sdk' ? await prepareSdk() : await prepareRelay();
// The relay's clock keeps no process alive.
setInterval(() => {}, 1_000);
const [before, startedAt] = [process.cpuUsage(), performance.now()];
await send();
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ cpuS: (user + system) / 1e6, wallS: (performance.now() - startedAt) / 1_000, sent })}\n`, () => process.exit(0));

async function prepareRelay(): Promise<() => Promise<void>> {
  const [workspace] = workspacesOptions.parse([
    {
      id: task.workspaceId,
      protocol: 'logs-ingestion',
      trustFile: task.rootPath,
      ingestion: {
        endpoint: task.url,
        ruleId: task.ruleId,
        streams: [{ source: 'LINUX_SYSLOGS_BLOB', stream: task.stream }],
        signIn: { tenantId: task.tenantId, clientId: task.clientId, secretFile: task.secretFile, authority: task.url, trustFile: task.rootPath },
      },
    },
  ]);
  if (!workspace) throw new Error('no workspace');
  const connection = await connectWorkspace(workspace, {
    options: upstreamOptions.parse({}),
    folder: '',
    version: '0',
    clock: systemClock,
    log: silentLogger,
    onExchange: () => {},
    opener: createRecordOpener(MAX_INFLATED_BYTES),
    onPart: () => {},
    statementFor: () => ({ roots: [], agents: [] }),
    roadWatch: { verified: () => {}, refused: () => {} },
    ingestion: {
      transformer: createTransformer(),
      maxInflatedBytes: MAX_INFLATED_BYTES,
      relayName: 'relay.test',
      onRequest: (_, { fill }) => void sent.push(fill * LARGEST_REQUEST_BYTES),
      onRecords: () => {},
    },
  });
  const random = seededBytes(5);
  const batches = bodies.map((body): Batch => {
    const receivedAt = systemClock.now();
    const origin = { protocol: 'operational-data', service: 'operational-data', encoding: 'deflate', headers: {} } as const;
    const facts = { kind: 'Event', dataType: 'LINUX_SYSLOGS_BLOB', solution: 'LogManagement' } as const;
    return { id: createBatchId(receivedAt, random), workspaceId: workspace.id, agentId: AGENT, ...facts, receivedAt, origin, body };
  });
  return async () => {
    const waiting = [...batches];
    // As the consumer does: so many groups at a time, the next when one is settled.
    const lane = async (): Promise<void> => {
      for (let group = waiting.splice(0, BATCHES_A_GROUP); group.length > 0; group = waiting.splice(0, BATCHES_A_GROUP)) {
        const verdicts = await connection.offer(group, new AbortController().signal);
        const bad = verdicts.find(({ outcome }) => outcome !== 'delivered');
        if (bad) throw new Error(`not delivered: ${JSON.stringify(bad)}`);
      }
    };
    await Promise.all(Array.from({ length: workspace.ingestion.groupsInFlight }, lane));
  };
}

// What a program has to do that sends an agent's uploads with it: open them, add the columns, hand over objects.
async function prepareSdk(): Promise<() => Promise<void>> {
  const tlsOptions = { ca: readFileSync(task.rootPath, 'utf8') };
  const options = { authorityHost: task.url, disableInstanceDiscovery: true, tlsOptions };
  const secret = readFileSync(task.secretFile, 'utf8');
  const counting: PipelinePolicy = {
    name: 'counting',
    sendRequest(request, next) {
      sent.push(Number(request.headers.get('content-length') ?? Buffer.byteLength((request.body as Uint8Array | string | null) ?? '')));
      return next(request);
    },
  };
  const credential = new ClientSecretCredential(task.tenantId, task.clientId, secret, options);
  const client = new LogsIngestionClient(task.url, credential, { ...options, additionalPolicies: [{ policy: counting, position: 'perRetry' }] });
  return async () => {
    for (let at = 0; at < bodies.length; at += BATCHES_A_GROUP) {
      const rows = bodies.slice(at, at + BATCHES_A_GROUP).flatMap((body, place) => {
        const { DataItems } = JSON.parse(inflateSync(body).toString()) as Envelope;
        return DataItems.map((item) => ({ ...item, TimeGenerated: item['Timestamp'], RelayBatchId: String(at + place), RelayAgentId: AGENT }));
      });
      await client.upload(task.ruleId, task.stream, rows);
    }
  };
}
