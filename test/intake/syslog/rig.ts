/** Syslog's listener without the relay's cache: what would be kept is in `batches`, and time moves only when told. */
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { inflateSync } from 'node:zlib';
import { type Authority, openAuthority } from '../../../src/authority/authority.ts';
import type { Batch } from '../../../src/batch/batch.ts';
import type { PutOutcome } from '../../../src/cache/cache.ts';
import { createAccept } from '../../../src/intake/accept.ts';
import { type SyslogOptions, senderOptions } from '../../../src/intake/sender-options.ts';
import { createSyslogServer, type SyslogServer } from '../../../src/intake/syslog/syslog-server.ts';
import { createLogger } from '../../../src/logger.ts';
import { type ManagementGroup, openManagementGroup } from '../../../src/management-group/management-group.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import type { SyslogRecord } from '../../../src/oms-protocol/syslog-record.ts';
import { generateKeyRing, openKeyRing } from '../../../src/workspace/key-ring.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { connectTls, type EnrolledAgent, enrolAgent, type LogLine } from '../rig.ts';

export const BATCH_EVERY_MS = 1_000;

export interface SyslogRig extends AsyncDisposable {
  readonly server: SyslogServer;
  readonly port: number;
  readonly group: ManagementGroup;
  readonly clock: ManualClock;
  readonly authority: Authority;
  readonly batches: Batch[];
  /** What the cache answers from now on. */
  answer(outcome: PutOutcome): void;
  /** The records of all batches, in order. */
  records(): SyslogRecord[];
  /** Their messages. */
  messages(): string[];
  /** Connects as an agent that is approved, or as the one given. */
  connect(agent?: EnrolledAgent): Promise<TLSSocket>;
  lines(): readonly LogLine[];
  figure(name: string): Promise<number>;
  /** Everything that was read so far is kept. */
  flush(): Promise<void>;
}

export async function startSyslogRig(options: Partial<SyslogOptions> = {}, handshakeTimeoutMs = 20_000): Promise<SyslogRig> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const clock = createManualClock();
  const written: LogLine[] = [];
  const log = createLogger('debug', { write: (line: string) => void written.push(JSON.parse(line) as LogLine) });
  const metrics = createMetrics();
  const group = openManagementGroup(join(folder.path, 'group.sqlite'), { keys: openKeyRing(JSON.stringify(generateKeyRing())), clock, log });
  parts.defer(group.close);
  const authority = await openAuthority(join(folder.path, 'authority'), Date.now);
  const batches: Batch[] = [];
  let outcome: PutOutcome = { outcome: 'stored' };
  const put = async (batch: Batch): Promise<PutOutcome> => {
    if (outcome.outcome === 'stored') batches.push(batch);
    return outcome;
  };
  const cache = { put, putAside: put, isHeld: () => false };
  const random = (bytes: Uint8Array): void => void randomFillSync(bytes);
  const accept = createAccept({ cache, retryEveryMs: 480_000, clock, random, metrics, onKept: group.registry.received, log });
  const server = createSyslogServer({
    options: { ...senderOptions.parse({}).syslog, address: '127.0.0.1', port: 0, batchEvery: BATCH_EVERY_MS, ...options },
    identity: await authority.serverIdentity(['localhost', '127.0.0.1'], 90),
    authentication: { registry: group.registry, now: clock.now, oldCertificateGraceMs: 60_000 },
    handshakeTimeoutMs,
    maxInflatedBytes: 1024 * 1024,
    accept,
    clock,
    random,
    metrics,
    log,
  });
  const port = await server.start();
  parts.defer(async () => {
    const stopped = server.stop(1);
    clock.advance(60_000);
    await stopped;
  });
  const all = parts.move();
  // Tests ask again and again: each batch is opened once.
  const opened: SyslogRecord[] = [];
  let openedBatches = 0;
  const records = (): SyslogRecord[] => {
    for (; openedBatches < batches.length; openedBatches += 1) opened.push(...recordsIn(batches[openedBatches] as Batch));
    return opened;
  };
  return {
    server,
    port,
    group,
    clock,
    authority,
    batches,
    answer(next) {
      outcome = next;
    },
    records,
    messages: () => records().map(({ Message }) => Message),
    async connect(agent) {
      const { identity } = agent ?? (await enrolAgent({ group, clock }));
      const socket = await connectTls(port, identity);
      all.defer(() => void socket.destroy());
      return socket.on('error', () => {});
    },
    lines: () => written.filter(({ level }) => level !== 'debug'),
    async figure(name) {
      const line = (await metrics.expose()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.slice(name.length + 1));
    },
    flush: async () => clock.advance(BATCH_EVERY_MS),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The records of a batch as the relay keeps it. */
export function recordsIn({ body }: Pick<Batch, 'body'>): SyslogRecord[] {
  return (JSON.parse(inflateSync(body).toString()) as { readonly DataItems: SyslogRecord[] }).DataItems;
}

/** A message with its length before it (RFC 5425 §4.3). */
export function counted(message: string | Buffer): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}
