import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { fingerprintOf } from '../../../src/authority/x509.ts';
import { createFaults } from '../../../src/local-workspace/faults/faults.ts';
import { createDirectory } from '../../../src/local-workspace/intake/ingestion/directory.ts';
import { openTokens } from '../../../src/local-workspace/intake/ingestion/tokens.ts';
import { createPeerOf } from '../../../src/local-workspace/intake/peer.ts';
import { createService } from '../../../src/local-workspace/service.ts';
import { silentLogger } from '../../../src/logger.ts';
import { readTopologyReply } from '../../../src/oms-protocol/topology-reply.ts';
import { parseWorkspaceId } from '../../../src/workspace/workspace-id.ts';
import {
  CAPTURED_AGENT,
  CAPTURED_SHARED_KEY,
  CAPTURED_WORKSPACE,
  certificateIn,
  headerOf,
  headersOf,
  type OmsCapture,
  readCapture,
  readCaptures,
} from '../../support/oms-captures.ts';
import { openAlone, temporaryFolder } from '../rig.ts';

// Custom log files (018 to 021) go through blobs, which the local workspace does not offer.
const SERVED = readCaptures().filter(({ number }) => number < '018' || number === '022');
const CERTIFICATES = new Map(['001', '005'].map((number) => certificateIn(readCapture(number))).map((der) => [fingerprintOf(der) as string, der]));

test('everything the Linux agent sent, from its onboarding on, is answered as it expects and its data kept as it was', async (t) => {
  const id = parseWorkspaceId(CAPTURED_WORKSPACE);
  const dataFolder = await temporaryFolder(t);
  let now = SERVED[0]?.receivedAt ?? 0;
  let presented: Buffer | undefined;
  const clock = { now: () => now, after: () => () => {} };
  const workspace = await openAlone(t, { dataFolder, id, key: CAPTURED_SHARED_KEY.toString('base64'), clock });
  const service = await createService({
    workspaces: new Map([[id, workspace]]),
    peerOf: createPeerOf(() => presented),
    faults: createFaults(async () => {}),
    directory: createDirectory([id]),
    tokens: await openTokens(dataFolder),
    clock,
    log: silentLogger,
  });

  for (const capture of SERVED) {
    now = capture.receivedAt;
    presented = CERTIFICATES.get(capture.tls.clientCertificate?.fingerprint ?? '');
    const { statusCode, payload } = await service.inject({ method: capture.method, url: capture.url, headers: headersOf(capture), payload: capture.body });
    assert.equal(statusCode, 200, capture.number);
    if (capture.url.endsWith('LinuxAgentTopologyRequest')) {
      const host = `${CAPTURED_WORKSPACE}.oms.relay.test`;
      const renewalAddress = `https://${host}/ConfigurationService.Svc/RenewCertificate`;
      assert.deepEqual(readTopologyReply(payload), { renewalAddress, renewCertificate: false, topologyIntervalS: 1200 }, capture.number);
    }
  }

  const records = await workspace.records.newest({ limit: 100 });
  assert.deepEqual(
    workspace.receipts.count().map(({ dataType }) => dataType),
    ['DEMO_A_BLOB', 'DemoLog', 'Diagnostics', 'HEALTH_ASSESSMENT_BLOB', 'LINUX_PERF_BLOB', 'LINUX_SYSLOGS_BLOB', 'OPERATION_BLOB', 'SECURITY_CEF_BLOB'],
  );
  assert.ok(records.every(({ agentId, workspaceId }) => agentId === CAPTURED_AGENT && workspaceId === CAPTURED_WORKSPACE));
  assert.ok(records.every(({ contentHash, data }) => contentHash === createHash('sha256').update(JSON.stringify(data)).digest('hex')));
  assert.deepEqual(
    records.map(({ timeGenerated, data }) => [timeGenerated, data]),
    SERVED.flatMap((capture) => sentIn(capture).map((record) => [timeOf(record, capture), keptOf(record)])),
  );
});

type Fields = Readonly<Record<string, unknown>>;

function sentIn(capture: OmsCapture): readonly Fields[] {
  if (!capture.url.includes('PostJsonDataItems')) return [];
  const body = headerOf(capture, 'content-encoding') === 'deflate' ? inflateSync(capture.body) : capture.body;
  const sent = JSON.parse(body.toString()) as readonly Fields[] | { readonly DataItems: readonly Fields[] };
  return 'DataItems' in sent ? sent.DataItems : sent;
}

function timeOf(record: Fields, { receivedAt }: OmsCapture): string {
  const told = record['Timestamp'] ?? record['when'] ?? record['time'];
  return new Date(told === undefined ? receivedAt : Date.parse(String(told))).toISOString();
}

/** A record as it is given back: a counter is a row of its own, a process has a number, all else is as it was sent. */
function keptOf({ Collections: counters, ...record }: Fields): Fields {
  const [counter] = (counters ?? []) as readonly { readonly CounterName: string; readonly Value: number }[];
  const { Host, ObjectName, InstanceName, ProcessId } = record;
  const path = `\\\\${Host}\\${ObjectName}(${InstanceName})\\${counter?.CounterName}`;
  return {
    ...record,
    ...(ProcessId === undefined ? {} : { ProcessId: Number(ProcessId) }),
    ...(counter ? { CounterName: counter.CounterName, CounterValue: counter.Value, CounterPath: path } : {}),
  };
}

test('an onboarding that arrives long after it was signed is refused', async (t) => {
  const id = parseWorkspaceId(CAPTURED_WORKSPACE);
  const dataFolder = await temporaryFolder(t);
  const workspace = await openAlone(t, { dataFolder, id, key: CAPTURED_SHARED_KEY.toString('base64') });
  const capture = readCapture('001');
  const service = await createService({
    workspaces: new Map([[id, workspace]]),
    peerOf: createPeerOf(() => certificateIn(capture)),
    faults: createFaults(async () => {}),
    directory: createDirectory([id]),
    tokens: await openTokens(dataFolder),
    clock: { now: () => capture.receivedAt + 16 * 60_000, after: () => () => {} },
    log: silentLogger,
  });
  const { statusCode, payload } = await service.inject({ method: 'POST', url: capture.url, headers: headersOf(capture), payload: capture.body });
  assert.equal(statusCode, 403);
  assert.match(payload, /<Reason>StaleDate<\/Reason>/);
});
