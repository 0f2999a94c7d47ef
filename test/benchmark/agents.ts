/** A management group of many agents: how long a listing and a lookup take, and what an idle connection costs the relay in memory. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { systemClock } from '../../src/clock.ts';
import type { ListedAgent } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { silentLogger } from '../../src/logger.ts';
import { openManagementGroup } from '../../src/management-group/management-group.ts';
import { TELEMETRY_PATH } from '../../src/oms-protocol/paths.ts';
import { tableOf } from '../../src/table.ts';
import { generateKeyRing, openKeyRing } from '../../src/workspace/key-ring.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { startCommand } from '../support/run-relay.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createFleet, enrolFleet, type FleetAgent } from './fleet.ts';
import { residentBytesIn } from './process-usage.ts';
import { startRelayTarget } from './relay-target.ts';
import { startSink } from './sink.ts';

const WORKSPACE: WorkspaceId = parseWorkspaceId('be9c4a6e-0000-4000-8000-000000000001');
const FEW = 5;
const LOOKUPS = 1_000_000;
const LISTINGS = 20;
const CONNECTIONS = 1_000;
const HANDSHAKES_AT_ONCE = 20;
const KIB = 1024;
/** What "instant" and "constant" mean here; far more than is measured. */
const MOST = { listingMs: 1_000, lookupRatio: 10 };

export interface AgentsOptions {
  readonly agents: number;
  readonly signal: AbortSignal;
  /** Told what is done next. */
  readonly onStep: (text: string) => void;
}

export interface AgentsReport {
  readonly agents: number;
  /** Milliseconds until the control socket has answered with all agents, and with one of them; medians. */
  readonly listingMs: number;
  readonly filteredMs: number;
  /** Milliseconds until the command line has asked for all of them and printed its table, its own start included. */
  readonly commandMs: number;
  /** Nanoseconds to find an agent by its certificate, among a few and among all. */
  readonly lookupAmongFewNs: number;
  readonly lookupAmongAllNs: number;
  readonly connections: number;
  /** The relay's resident memory without connections and for each idle one. */
  readonly residentBytes: number;
  readonly bytesPerConnection: number;
  readonly failures: readonly string[];
}

/** Measures it, with a real relay process and a connection of its own for each of a thousand agents. Everything it starts is gone when it returns. */
export async function runAgents({ agents, signal, onStep }: AgentsOptions): Promise<AgentsReport> {
  await using folder = await temporaryFolder();
  await using started = new AsyncDisposableStack();
  onStep(`making ${agents} agents`);
  const fleet = await createFleet(WORKSPACE, agents);
  signal.throwIfAborted();
  onStep(`${LOOKUPS} lookups`);
  const lookupAmongFewNs = await timeLookups(join(folder.path, 'few'), fleet.slice(0, FEW));
  const lookupAmongAllNs = await timeLookups(join(folder.path, 'all'), fleet);
  onStep('starting the relay');
  const sink = await startSink(join(folder.path, 'sink'), WORKSPACE, []);
  started.defer(() => sink.stop());
  const target = await startRelayTarget({ folder: join(folder.path, 'relay'), workspaceId: WORKSPACE, fleet, sink, profileFolder: undefined });
  started.defer(() => target.stop());
  onStep(`${LISTINGS} listings`);
  const listingMs = await timeListings(target.controlSocket, '', agents);
  const filteredMs = await timeListings(target.controlSocket, '?name=node0.*', 1);
  const commandMs = await timeCommand(target.controlSocket, agents);
  const some = fleet.slice(0, CONNECTIONS);
  onStep(`${some.length} idle connections`);
  const memory = await measureConnections(target.pids['relay'] ?? 0, { port: target.port, trust: target.trust }, some, signal);
  const figures = { agents, listingMs, filteredMs, commandMs, lookupAmongFewNs, lookupAmongAllNs, connections: some.length, ...memory };
  return { ...figures, failures: failuresOf(figures) };
}

async function timeLookups(dataFolder: string, fleet: readonly FleetAgent[]): Promise<number> {
  await enrolFleet(dataFolder, WORKSPACE, fleet);
  const keys = openKeyRing(JSON.stringify(generateKeyRing()));
  const group = openManagementGroup(join(dataFolder, 'management-group.sqlite'), { keys, clock: systemClock, log: silentLogger });
  try {
    const fingerprints = fleet.map(({ certificate }) => certificate.fingerprint);
    const look = (times: number): void => {
      for (let at = 0; at < times; at += 1) {
        const fingerprint = fingerprints[at % fingerprints.length];
        if (fingerprint === undefined || !group.registry.find(fingerprint)) throw new Error('an enrolled agent was not found');
      }
    };
    look(LOOKUPS / 10);
    const begin = performance.now();
    look(LOOKUPS);
    return ((performance.now() - begin) * 1e6) / LOOKUPS;
  } finally {
    group.close();
  }
}

async function timeListings(socket: string, query: string, expected: number): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < LISTINGS; at += 1) {
    const begin = performance.now();
    const listed = await ask<ListedAgent[]>(socket, 'GET', `/agents${query}`);
    times.push(performance.now() - begin);
    if (listed.length !== expected) throw new Error(`the relay listed ${listed.length} agents, not ${expected}`);
  }
  return times.sort((a, b) => a - b)[LISTINGS / 2] ?? 0;
}

async function timeCommand(socket: string, expected: number): Promise<number> {
  const begin = performance.now();
  const { code, out, err } = await startCommand(['agents', 'list', '--socket', socket]).ended;
  if (code !== 0 || out.trim().split('\n').length !== expected + 1) throw new Error(`relay agents list ended with ${code}: ${err}`);
  return performance.now() - begin;
}

interface Where {
  readonly port: number;
  readonly trust: string;
}

// A first round pays for what is paid once: code, and memory that the process keeps for the next ones.
async function measureConnections(
  pid: number,
  where: Where,
  fleet: readonly FleetAgent[],
  signal: AbortSignal,
): Promise<{ residentBytes: number; bytesPerConnection: number }> {
  const resident = async (): Promise<number> => residentBytesIn(await readFile(`/proc/${pid}/status`, 'utf8'));
  for (const socket of await openAll(where, fleet.slice(0, Math.ceil(fleet.length / 10)), signal)) socket.destroy();
  const residentBytes = await resident();
  const sockets = await openAll(where, fleet, signal);
  const bytesPerConnection = ((await resident()) - residentBytes) / sockets.length;
  for (const socket of sockets) socket.destroy();
  return { residentBytes, bytesPerConnection };
}

async function openAll(where: Where, fleet: readonly FleetAgent[], signal: AbortSignal): Promise<TLSSocket[]> {
  const sockets: TLSSocket[] = [];
  for (let at = 0; at < fleet.length; at += HANDSHAKES_AT_ONCE) {
    signal.throwIfAborted();
    sockets.push(...(await Promise.all(fleet.slice(at, at + HANDSHAKES_AT_ONCE).map((agent) => open(where, agent)))));
  }
  return sockets;
}

// Idle as an agent's connection is idle: known by its certificate, one request answered.
async function open({ port, trust }: Where, { identity }: FleetAgent): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: trust, cert: identity.certificate, key: identity.privateKey });
  await once(socket, 'secureConnect');
  socket.write(`POST ${TELEMETRY_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.toString().startsWith('HTTP/1.1 200')) throw new Error(`the relay answered ${answer.toString().slice(0, 200)}`);
  return socket;
}

function failuresOf({ listingMs, lookupAmongFewNs, lookupAmongAllNs }: Omit<AgentsReport, 'failures'>): string[] {
  return [
    ...(listingMs > MOST.listingMs ? [`a listing took ${listingMs.toFixed(0)} ms`] : []),
    ...(lookupAmongAllNs > MOST.lookupRatio * lookupAmongFewNs ? ['a lookup among all takes many times as long as one among a few'] : []),
  ];
}

/** The report for a person. */
export function describeAgents(report: AgentsReport): string {
  const rows: readonly (readonly [what: string, figure: string])[] = [
    [`listing of ${report.agents} agents over the control socket`, `${report.listingMs.toFixed(1)} ms`],
    ['the same by relay agents list, with the start of the command', `${report.commandMs.toFixed(0)} ms`],
    ['listing of the one that fits a pattern', `${report.filteredMs.toFixed(1)} ms`],
    [`lookup by certificate among ${FEW}`, `${report.lookupAmongFewNs.toFixed(0)} ns`],
    [`lookup by certificate among ${report.agents}`, `${report.lookupAmongAllNs.toFixed(0)} ns`],
    ['resident memory of the relay, no connections', `${(report.residentBytes / KIB / KIB).toFixed(0)} MiB`],
    [`resident memory for each of ${report.connections} idle mutual-TLS connections`, `${(report.bytesPerConnection / KIB).toFixed(1)} KiB`],
  ];
  const table = tableOf(rows, [
    ['WHAT', ([what]) => what],
    ['FIGURE', ([, figure]) => figure],
  ]);
  return [table, ...(report.failures.length === 0 ? ['Passed.'] : report.failures.map((one) => `FAILED: ${one}`))].join('\n');
}
