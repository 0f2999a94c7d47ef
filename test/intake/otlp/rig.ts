import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openAuthority } from '../../../src/authority/authority.ts';
import type { Batch } from '../../../src/batch/batch.ts';
import type { PutOutcome } from '../../../src/cache/cache.ts';
import { createAttempts } from '../../../src/enrolment/attempts.ts';
import { createAccept } from '../../../src/intake/accept.ts';
import { intakeOptions } from '../../../src/intake/options.ts';
import { otlpPlugin } from '../../../src/intake/protocols/otlp/plugin.ts';
import { senderSignInPlugin } from '../../../src/intake/sender-sign-in.ts';
import { createIntakeServer, type IntakeServer } from '../../../src/intake/server.ts';
import { createLogger } from '../../../src/logger.ts';
import { type ManagementGroup, openManagementGroup } from '../../../src/management-group/management-group.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { generateKeyRing, openKeyRing } from '../../../src/workspace/key-ring.ts';
import { type AgentId, parseWorkspaceId, type WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { type OtlpType, PROTOBUF } from '../../support/otlp-requests.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
/** The key that the captured requests hold. */
export const API_KEY = 'throwaway';

export type Row = Readonly<Record<string, unknown>>;

export interface OtlpAnswer {
  readonly status: number;
  readonly type: unknown;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface OtlpCall {
  readonly method?: string;
  readonly path?: string;
  readonly type?: OtlpType | string;
  /** An undefined one is left out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export interface OtlpLimits {
  readonly maxInflatedBytes?: number;
  readonly bodyTimeoutMs?: number;
}

/** OTLP on the real listener with real senders, without a cache: what would be kept is in `kept`. */
export interface OtlpRig extends AsyncDisposable {
  readonly intake: IntakeServer;
  readonly group: ManagementGroup;
  readonly agentId: AgentId;
  readonly kept: Batch[];
  /** What the cache answers, from the batch with this number on. */
  answer(outcome: PutOutcome, from?: number): void;
  /** Has the cache throw. */
  fail(error: Error): void;
  post(body: Buffer, call?: OtlpCall): Promise<OtlpAnswer>;
  /** All rows of all batches. */
  rows(): readonly Row[];
  warnings(): readonly string[];
}

export async function createOtlpRig({ maxInflatedBytes = 1024 * 1024, bodyTimeoutMs = 60_000 }: OtlpLimits = {}): Promise<OtlpRig> {
  const folder = await temporaryFolder();
  const clock = createManualClock(Date.now());
  const written: { readonly level: string; readonly msg: string }[] = [];
  const log = createLogger('debug', { write: (line: string) => void written.push(JSON.parse(line) as { level: string; msg: string }) });
  const metrics = createMetrics();
  const group = openManagementGroup(join(folder.path, 'group.sqlite'), { keys: openKeyRing(JSON.stringify(generateKeyRing())), clock, log });
  const authority = await openAuthority(join(folder.path, 'authority'), Date.now);
  const authentication = { registry: group.registry, now: clock.now, oldCertificateGraceMs: 0, peerCertificate: () => undefined };
  const options = { ...intakeOptions.parse({}), address: '127.0.0.1', port: 0, bodyTimeout: bodyTimeoutMs };
  const intake = createIntakeServer({ options, identity: await authority.serverIdentity(['localhost'], 90), authentication, metrics, log });
  const { agentId } = group.senders.create({ name: 'otel', workspaceId: BANK, secret: API_KEY }).sender.agent;

  const kept: Batch[] = [];
  let given: { readonly outcome: PutOutcome; readonly from: number } | undefined;
  let failure: Error | undefined;
  const put = async (batch: Batch): Promise<PutOutcome> => {
    if (failure) throw failure;
    if (given && kept.length >= given.from) return given.outcome;
    kept.push(batch);
    return { outcome: 'stored' };
  };
  const accept = createAccept({
    cache: { put, putAside: put, isHeld: () => false },
    retryEveryMs: 480_000,
    clock,
    random: (bytes) => void randomFillSync(bytes),
    metrics,
    log,
  });
  const attempts = createAttempts({ now: clock.now, perMinute: 1_000_000, badPerMinute: 20 });
  await intake.hapi.register({ plugin: senderSignInPlugin, options: { group, certificates: authentication, attempts } });
  await intake.hapi.register({ plugin: otlpPlugin, options: { accept, maxInflatedBytes, bodyTimeoutMs, log } });

  return {
    intake,
    group,
    agentId,
    kept,
    answer(outcome, from = 0) {
      given = { outcome, from };
    },
    fail(error) {
      failure = error;
    },
    async post(body, { method = 'POST', path = '/v1/logs', type = PROTOBUF, headers = {} } = {}) {
      const all = Object.entries({ 'content-type': type, 'x-api-key': API_KEY, ...headers });
      const given = Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
      const { statusCode, rawPayload, headers: answered } = await intake.hapi.inject({ method, url: path, headers: given, payload: body });
      return { status: statusCode, type: answered['content-type'], body: rawPayload, headers: answered };
    },
    rows: () => kept.flatMap((batch) => JSON.parse(plainOf(batch).toString()) as readonly Row[]),
    warnings: () => written.filter(({ level }) => level === 'warn').map(({ msg }) => msg),
    async [Symbol.asyncDispose]() {
      await intake.stop(100);
      group.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A batch's body without its encoding. */
export function plainOf({ body, origin }: Pick<Batch, 'body' | 'origin'>): Buffer {
  return origin.encoding === 'gzip' ? gunzipSync(body) : body;
}
