/** What each protocol costs the relay: the same records, a hundred a request, by each of them, from the socket to the workspace. */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { deflateSync, gzipSync } from 'node:zlib';
import type { CertificateForMachine, CreatedSender } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { ruleIdOf } from '../../src/intake/rule-owners.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { eventually } from '../support/eventually.ts';
import { type Machine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { BANK, type Site, startSite } from '../support/site.ts';
import { readUsage } from './process-usage.ts';
import { createRecords, otlpRequest, syslogStream } from './sender-records.ts';

const RECORDS_A_REQUEST = 100;
const REQUESTS = 3_000;
const CONNECTIONS = 8;
const GB = 1e9;
const MICRO = 1e6;
/** A plain store-and-forward relay at a hundred records a request, on a shared machine of two cores: Fluent Bit 5.1, HTTPS in, files, HTTPS out. */
const PEER_MICROSECONDS = 9.5;

export interface ProtocolsOptions {
  readonly signal: AbortSignal;
  /** Told what is done next. */
  readonly onStep: (text: string) => void;
}

/** What one protocol cost. */
export interface ProtocolFigures {
  readonly protocol: string;
  readonly records: number;
  /** Records as JSON, without what the protocol adds. */
  readonly megabytes: number;
  /** Of the relay, from the first request until all is delivered; its Redis and the far end apart. */
  readonly cpuS: number;
  readonly cpuSPerGb: number;
  readonly recordsPerCpuS: number;
  readonly cpuMicrosecondsPerRecord: number;
  readonly wallS: number;
}

export interface ProtocolsReport {
  readonly figures: readonly ProtocolFigures[];
  readonly failures: readonly string[];
}

/** One request, ready to be sent many times. */
interface Prepared {
  readonly path: string;
  readonly headers: () => Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly status: number;
}

type Send = () => Promise<void>;

/** Measures one protocol after the other on one relay. Everything it starts is gone when it returns. */
export async function runProtocols({ signal, onStep }: ProtocolsOptions): Promise<ProtocolsReport> {
  await using site = await startSite({ sections: { senders: { syslog: { enabled: true, address: '127.0.0.1', port: 0 } } } });
  const created = await ask<CreatedSender>(site.relay.socket, 'POST', '/senders', { name: 'benchmark', workspaceId: BANK });
  const ca = await readFile(site.relay.rootFile, 'utf8');
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, ca });
  const syslog = await openSyslog(site, created, ca);
  const figures: ProtocolFigures[] = [];
  try {
    for (const [protocol, send] of [...(await waysOf(site, agent, created.secret)), ['syslog over TLS (RFC 5425)', syslog.send] as const]) {
      signal.throwIfAborted();
      onStep(protocol);
      await warmUp(send, site);
      figures.push(await measure(protocol, send, site, signal));
    }
  } finally {
    syslog.end();
    agent.destroy();
  }
  const wanted = figures.length * (REQUESTS + CONNECTIONS) * RECORDS_A_REQUEST;
  const arrived = arrivedIn(site);
  return { figures, failures: arrived === wanted ? [] : [`${arrived} records arrived, and ${wanted} were sent`] };
}

/** The report as a person reads it. */
export function describeProtocols({ figures, failures }: ProtocolsReport): string {
  const rows = figures.map(({ protocol, recordsPerCpuS, cpuSPerGb, cpuMicrosecondsPerRecord }) =>
    [protocol.padEnd(34), recordsPerCpuS.toFixed(0).padStart(10), cpuMicrosecondsPerRecord.toFixed(1).padStart(10), cpuSPerGb.toFixed(1).padStart(12)].join(
      ' ',
    ),
  );
  return [
    `${RECORDS_A_REQUEST} records of about ${createRecords(1)[0]?.length ?? 0} bytes a request, ${REQUESTS} requests over ${CONNECTIONS} connections, from the socket to the workspace`,
    `${'protocol'.padEnd(34)} ${'records/s'.padStart(10)} ${'µs CPU'.padStart(10)} ${'CPU-s'.padStart(12)}`,
    `${''.padEnd(34)} ${'per core'.padStart(10)} ${'a record'.padStart(10)} ${'per GB'.padStart(12)}`,
    ...rows,
    `A plain relay without a sync (Fluent Bit 5.1): ${PEER_MICROSECONDS} µs a record.`,
    ...failures.map((failure) => `FAILED: ${failure}`),
  ].join('\n');
}

async function waysOf(site: Site, agent: Agent, secret: string): Promise<readonly (readonly [string, Send])[]> {
  const records = createRecords(RECORDS_A_REQUEST);
  const array = Buffer.from(`[${records.join(',')}]`);
  const envelope = Buffer.from(`{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":${array.toString()}}`);
  const machines = await site.machines(CONNECTIONS);
  let turn = 0;
  const json = { 'content-type': 'application/json', 'x-api-key': secret };
  const ingestion = { path: `/dataCollectionRules/${ruleIdOf(BANK)}/streams/Custom-Records_CL?api-version=2023-01-01`, status: 204 };
  const collector = (body: Buffer, more: Readonly<Record<string, string>> = {}): Prepared => ({
    path: '/api/logs?api-version=2016-04-01',
    headers: () => ({ 'content-type': 'application/json', 'log-type': 'Records', ...signed(secret, body.length), ...more }),
    body,
    status: 200,
  });
  const gzip = { 'content-encoding': 'gzip' };
  const otlp = otlpRequest(RECORDS_A_REQUEST);
  const deflated = deflateSync(envelope);
  const http =
    (prepared: Prepared): Send =>
    () =>
      post(site, agent, prepared);
  return [
    [
      'agents (Operational Data, deflate)',
      async () => {
        turn += 1;
        const machine = machines[turn % machines.length] as Machine;
        const { status } = await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, deflated);
        if (status !== 200) throw new Error(`an agent was answered with ${status}`);
      },
    ],
    ['Data Collector API', http(collector(array))],
    ['Data Collector API, gzip', http(collector(gzipSync(array), gzip))],
    ['Logs Ingestion API', http({ ...ingestion, headers: () => json, body: array })],
    ['Logs Ingestion API, gzip', http({ ...ingestion, headers: () => ({ ...json, ...gzip }), body: gzipSync(array) })],
    [
      'OTLP, protobuf, gzip',
      http({ path: '/v1/logs', status: 200, headers: () => ({ ...json, ...gzip, 'content-type': 'application/x-protobuf' }), body: gzipSync(otlp.protobuf) }),
    ],
    ['OTLP, JSON, gzip', http({ path: '/v1/logs', status: 200, headers: () => ({ ...json, ...gzip }), body: gzipSync(otlp.json) })],
  ];
}

/** Syslog over TLS: a hundred messages a write, as fast as the relay reads them. */
async function openSyslog({ relay }: Site, { sender }: CreatedSender, ca: string): Promise<{ readonly send: Send; end(): void }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const asked = { workspaceId: BANK, agentId: sender.clientId, hostName: sender.name, publicKey: publicKey.export({ type: 'spki', format: 'pem' }) };
  const { certificate } = await ask<CertificateForMachine>(relay.socket, 'POST', '/authority/agent-certificates', asked);
  const { syslog } = await relay.status();
  const socket = connect({ host: '127.0.0.1', port: syslog?.port ?? 0, ca, cert: certificate, key, servername: 'localhost' });
  await once(socket, 'secureConnect');
  const stream = syslogStream(RECORDS_A_REQUEST);
  return {
    send: () => new Promise((resolve, reject) => void socket.write(stream, (error) => (error ? reject(error) : resolve()))),
    end: () => void socket.end(),
  };
}

async function warmUp(send: Send, site: Site): Promise<void> {
  const arrived = arrivedIn(site);
  for (let sent = 0; sent < CONNECTIONS; sent += 1) await send();
  await eventually('the first are delivered', () => arrivedIn(site) >= arrived + CONNECTIONS * RECORDS_A_REQUEST);
}

/** Records of senders that the workspace has. */
function arrivedIn(site: Site): number {
  const own = new Set(['OPERATION_BLOB', 'HEALTH_ASSESSMENT_BLOB']);
  const counts = site
    .upstream()
    .local.count(BANK)
    .filter(({ dataType }) => !own.has(dataType));
  return counts.reduce((sum, { records }) => sum + records, 0);
}

async function measure(protocol: string, send: Send, site: Site, signal: AbortSignal): Promise<ProtocolFigures> {
  const { pid } = await site.relay.status();
  const arrived = arrivedIn(site);
  const before = await readUsage(pid);
  const begin = performance.now();
  let left = REQUESTS;
  const sendAll = async (): Promise<void> => {
    while (left > 0 && !signal.aborted) {
      left -= 1;
      await send();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sendAll));
  await eventually('all is delivered', () => arrivedIn(site) >= arrived + REQUESTS * RECORDS_A_REQUEST);
  const cpuS = (await readUsage(pid)).cpuS - before.cpuS;
  const records = REQUESTS * RECORDS_A_REQUEST;
  const bytes = REQUESTS * createRecords(RECORDS_A_REQUEST).reduce((sum, record) => sum + record.length, 0);
  return {
    protocol,
    records,
    megabytes: bytes / MICRO,
    cpuS,
    cpuSPerGb: (cpuS * GB) / bytes,
    recordsPerCpuS: records / cpuS,
    cpuMicrosecondsPerRecord: (cpuS * MICRO) / records,
    wallS: (performance.now() - begin) / 1_000,
  };
}

function post(site: Site, agent: Agent, { path, headers, body, status }: Prepared): Promise<void> {
  return new Promise((resolve, reject) => {
    const sending = request({
      agent,
      host: 'localhost',
      port: site.relay.port(),
      path,
      method: 'POST',
      headers: { ...headers(), 'content-length': String(body.length) },
    });
    sending.on('error', reject);
    sending.on('response', (answer) => {
      void text(answer).then(
        (said) => (answer.statusCode === status ? resolve() : reject(new Error(`${path} was answered with ${answer.statusCode}: ${said}`))),
        reject,
      );
    });
    sending.end(body);
  });
}

function signed(secret: string, length: number): Record<string, string> {
  const date = new Date().toUTCString();
  const signature = createHmac('sha256', Buffer.from(secret, 'base64'))
    .update(`POST\n${length}\napplication/json\nx-ms-date:${date}\n/api/logs`)
    .digest('base64');
  return { 'x-ms-date': date, authorization: `SharedKey ${BANK}:${signature}` };
}
