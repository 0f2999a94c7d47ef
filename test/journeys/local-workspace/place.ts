/** A local workspace as it stands in a site: two workspaces over real TLS, an operator at its socket, people with tokens. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { Incident, IncidentRecord } from '../../../src/incidents/incident.ts';
import type { IncidentKind } from '../../../src/incidents/kinds.ts';
import type { Standing } from '../../../src/local-workspace/access/rights.ts';
import { askControl, type ControlRequest } from '../../../src/local-workspace/control/control-client.ts';
import { createLocalWorkspace, type Listening, type LocalWorkspace, type LocalWorkspaceOptions } from '../../../src/local-workspace/local-workspace.ts';
import { readSettings } from '../../../src/local-workspace/settings.ts';
import { createLogger } from '../../../src/logger.ts';
import type { WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { BANK, optionsFor, temporaryFolder } from '../../local-workspace/rig.ts';
import { type Answer, ask, type Wanted } from './https.ts';

export interface Place {
  readonly dataFolder: string;
  /** What it logged so far, a line each. */
  readonly lines: string[];
  readonly clock: Clock;
  /** As it was started last. */
  local(): LocalWorkspace;
  listening(): Listening;
  /** Asks over HTTPS. */
  ask(wanted: Wanted): Promise<Answer>;
  /** Asks at the socket, as the operator: what it answers, or `<status or code> <message>` of what it refuses. */
  operator(method: ControlRequest['method'], path: string, body?: unknown): Promise<unknown>;
  /** A new token of this standing; its secret. */
  token(role: Standing, workspace?: WorkspaceId): Promise<string>;
  /** A token for each of these standings in the bank's workspace. */
  tokens<Each extends Standing>(...roles: readonly Each[]): Promise<Readonly<Record<Each, string>>>;
  /** What a query gives to the operator; nothing in a workspace without data. */
  rows(workspace: WorkspaceId, text: string): Promise<unknown[][]>;
  incidents(kind?: IncidentKind): Promise<Incident[]>;
  /** An incident's time line: `what: text`. */
  timeline(id: string): Promise<string[]>;
  /** The lines of the audit log. */
  audit(): Promise<readonly AuditLine[]>;
  stop(): Promise<void>;
  start(more?: Partial<LocalWorkspaceOptions>): Promise<void>;
}

export interface AuditLine {
  readonly actor: { readonly kind: string; readonly name: string };
  readonly action: string;
  readonly on: string;
  readonly result: string;
  readonly detail: string;
}

export interface PlaceParts {
  /** As in the settings' file. */
  readonly settings?: object;
  readonly clock?: Clock;
  readonly more?: Partial<LocalWorkspaceOptions>;
}

/** Starts one in a folder of its own; stopped after the test. */
export async function startPlace(t: TestContext, { settings = {}, clock = systemClock, more = {} }: PlaceParts = {}): Promise<Place> {
  // In this order: what runs is stopped before its folder is removed.
  t.after(() => place.stop());
  const dataFolder = more.dataFolder ?? (await temporaryFolder(t));
  const lines: string[] = [];
  const log = createLogger('info', { write: (line: string) => void lines.push(line) });
  let local: LocalWorkspace | undefined;
  let listening: Listening | undefined;

  const operator = (method: ControlRequest['method'], path: string, body?: unknown): Promise<unknown> =>
    askControl(dataFolder, { method, path, ...(body === undefined ? {} : { body }) });

  const place: Place = {
    dataFolder,
    lines,
    clock,
    local: () => there(local),
    listening: () => there(listening),
    ask: (wanted) => ask(there(listening), wanted),
    operator,
    async token(role, workspace = BANK) {
      const made = await operator('POST', `/workspaces/${workspace}/tokens`, { name: `the ${role}`, role });
      return (made as { readonly secret: string }).secret;
    },
    async tokens(...roles) {
      const made = await Promise.all(roles.map(async (role) => [role, await place.token(role)] as const));
      return Object.fromEntries(made) as Readonly<Record<(typeof roles)[number], string>>;
    },
    async rows(workspace, text) {
      const answer = (await operator('POST', `/v1/workspaces/${workspace}/query`, { query: text })) as
        | { readonly tables: readonly [{ readonly rows: unknown[][] }] }
        | undefined;
      return answer?.tables[0].rows ?? [];
    },
    incidents: async (kind) => (await operator('GET', kind === undefined ? '/incidents' : `/incidents?kind=${kind}`)) as Incident[],
    async timeline(id) {
      const { timeline } = (await operator('GET', `/incidents/${id}`)) as IncidentRecord;
      return timeline.map(({ what, text }) => `${what}: ${text}`);
    },
    audit: () => auditIn(dataFolder),
    async stop() {
      const stopping = local;
      local = undefined;
      await stopping?.stop();
    },
    async start(again = {}) {
      const options = { settings: readSettings(settings), ...more, ...again };
      local = createLocalWorkspace(optionsFor(dataFolder, options), { clock, log });
      listening = await local.start();
    },
  };
  await place.start();
  return place;
}

function there<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the local workspace does not run');
  return value;
}

async function auditIn(dataFolder: string): Promise<AuditLine[]> {
  const folder = join(dataFolder, 'audit');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl') || name.endsWith('.log')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map((line) => JSON.parse(line) as AuditLine);
}
