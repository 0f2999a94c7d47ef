import { createSecretKey } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { server as createServer, type Server } from '@hapi/hapi';
import type { AuditEvent } from '../../../src/audit/entry.ts';
import { RelayError } from '../../../src/errors.ts';
import type { WhoIs } from '../../../src/local-workspace/access/access-routes.ts';
import { type By, nameOf } from '../../../src/local-workspace/access/actor.ts';
import { weakRole } from '../../../src/local-workspace/access/refusals.ts';
import { mayDo, type Role } from '../../../src/local-workspace/access/rights.ts';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import type { KeptTables, PurgeOrder } from '../../../src/local-workspace/retention/kept-tables.ts';
import type { RetentionEvent } from '../../../src/local-workspace/retention/retention-event.ts';
import type { RetentionByTable } from '../../../src/local-workspace/retention/retention-policy.ts';
import { retentionRoutes } from '../../../src/local-workspace/retention/retention-routes.ts';
import { type RetentionSettings, retentionSettings } from '../../../src/local-workspace/retention/retention-settings.ts';
import { openWorkspaceRetention, type WorkspaceRetention } from '../../../src/local-workspace/retention/workspace-retention.ts';
import type { StoredSegment } from '../../../src/local-workspace/tables/catalogue.ts';
import { COMMON_COLUMNS, type TableSchema } from '../../../src/local-workspace/tables/column.ts';
import type { FileSealer } from '../../../src/local-workspace/tables/file-sealer.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { BANK, temporaryFolder } from '../rig.ts';

export const DAY_MS = 86_400_000;
export const NOW: number = Date.parse('2026-11-29T12:00:00Z');
export const OWNER: By = { kind: 'token', id: 'aaaaaaaaaaaa', name: 'olga' };
export const SEALER: FileSealer = fileSealers(createSecretKey(Buffer.alloc(32, 7)), BANK)('purges');

export const SYSLOG: TableSchema = {
  name: 'Syslog',
  columns: [...COMMON_COLUMNS, { name: 'SyslogMessage', type: 'string' }, { name: 'ProcessID', type: 'int' }],
};
export const DOOR: TableSchema = { name: 'Door_CL', columns: [...COMMON_COLUMNS, { name: 'Person', type: 'string' }] };

export function settingsOf(written: Record<string, unknown> = {}): RetentionSettings {
  return retentionSettings.parse(written);
}

export function segmentOf(table: string, day: string, rows = 10): StoredSegment {
  const number = Date.parse(day) / DAY_MS;
  const times = { minTime: number * DAY_MS, maxTime: number * DAY_MS, minReceived: 0, maxReceived: 0, minSeq: 1, maxSeq: 1 };
  return { id: `${table}-${day}`, table, day: number, rows, place: 'main', bytes: rows * 100, plainBytes: rows * 400, sha256: '', ...times };
}

/** Stands for the engine: each purge takes `steps` steps of five rows. What the engine did outlives it. */
export interface FakeTables extends KeptTables {
  readonly trims: (RetentionByTable & { now: number })[];
  readonly cools: { hotDays: number; now: number }[];
  readonly orders: PurgeOrder[];
  readonly dropped: string[];
  segmentsNow: StoredSegment[];
  seq: number;
  /** Removals are done so many times more; then each fails. */
  lives: number;
  /** Called before each step. */
  beforeStep: () => void;
}

export function createFakeTables(steps = 3): FakeTables {
  const looked = new Map<string, number>();
  const schemas = [SYSLOG, DOOR];
  const live = (): void => {
    fake.beforeStep();
    fake.lives -= 1;
    if (fake.lives < 0) throw new RelayError('relay.local-workspace.tables-closed', 'The tables are closed. Give the key back.');
  };
  const fake: FakeTables = {
    trims: [],
    cools: [],
    orders: [],
    dropped: [],
    segmentsNow: [],
    seq: 100,
    lives: Number.POSITIVE_INFINITY,
    beforeStep: () => {},
    schemas: async () => schemas,
    segments: async () => fake.segmentsNow,
    lastSeq: () => fake.seq,
    async trim(given) {
      fake.trims.push(given);
      return { removed: 7 };
    },
    async cool(given) {
      fake.cools.push(given);
      return { moved: 1 };
    },
    async purgeStep(order) {
      live();
      fake.orders.push(order);
      const done = looked.get(order.operationId) ?? 0;
      looked.set(order.operationId, done + 1);
      return done < steps ? { removedRows: 5 } : undefined;
    },
    async dropTable({ table }) {
      live();
      fake.dropped.push(table);
      return { removedRows: 30 };
    },
  };
  return fake;
}

export interface RigOptions {
  readonly settings?: Record<string, unknown>;
  readonly tables?: KeptTables;
  readonly sealer?: FileSealer;
  readonly clock?: ManualClock;
  readonly folder?: string;
  readonly hasHotFolder?: boolean;
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Rig {
  readonly clock: ManualClock;
  readonly workspace: WorkspaceRetention;
  readonly server: Server;
  readonly folder: string;
  readonly entries: AuditEvent[];
  readonly events: RetentionEvent[];
  readonly trimmed: number[];
  /** Asks in a role, as owner unless given. */
  ask(method: string, path: string, payload?: object, role?: Role): Promise<Answered>;
  /** As a process that ends; `startRetention` on the same folder goes on. */
  close(): Promise<void>;
}

/** One workspace's retention with its routes. Who asks is who the Authorization header says, with the rights of that role. */
export async function startRetention(t: TestContext, options: RigOptions = {}): Promise<Rig> {
  const { clock = createManualClock(NOW), tables = createFakeTables(), sealer = SEALER, hasHotFolder = false } = options;
  const folder = options.folder ?? (await temporaryFolder(t));
  const database = new DatabaseSync(join(folder, 'retention.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const heard = { entries: [] as AuditEvent[], events: [] as RetentionEvent[], trimmed: [] as number[] };
  const workspace = openWorkspaceRetention({
    workspaceId: BANK,
    database,
    settings: settingsOf(options.settings),
    hasHotFolder,
    tables,
    sealer,
    enter: (entry) => void heard.entries.push(entry),
    onEvent: (event) => void heard.events.push(event),
    onTrimmed: (rows) => void heard.trimmed.push(rows),
    clock,
    log: silentLogger,
  });
  const server = createServer({ debug: false });
  server.route(retentionRoutes({ authorise, workspaceOf: (id) => (id === BANK ? workspace : undefined), now: clock.now }));
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await workspace.close();
    database.close();
  };
  t.after(close);
  return {
    ...heard,
    clock,
    workspace,
    server,
    folder,
    close,
    async ask(method, path, payload, role = 'owner') {
      const sent = payload === undefined ? {} : { payload };
      const response = await server.inject({ method, url: `/workspaces/${BANK}${path}`, headers: { authorization: role }, ...sent });
      return { status: response.statusCode, body: JSON.parse(response.payload), headers: response.headers };
    },
  };
}

const authorise: WhoIs = (request, _workspaceId, action) => {
  const role = String(request.headers['authorization']) as Role;
  if (!mayDo(role, action)) return { allowed: false, refusal: weakRole(nameOf(OWNER), action) };
  return { allowed: true, actor: { ...OWNER, kind: 'token', role, from: '10.0.0.1' } };
};

/** The code and the words of a refusal. */
export function errorOf({ body }: Answered): { readonly code: string; readonly message: string; readonly details?: Record<string, unknown> } {
  return (body as { error: { code: string; message: string } }).error;
}
