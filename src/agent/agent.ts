import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import type { BatchId, Random } from '../batch/batch-id.ts';
import type { Route } from '../check-in/agent-configuration.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { readEnrolment } from './agent-folder.ts';
import { createCheckIn } from './check-in.ts';
import { type Collector, type PaceOf, startCollecting } from './collecting.ts';
import { createHeartbeatCollector } from './collectors/heartbeat.ts';
import { createPerformanceCollector } from './collectors/performance.ts';
import { createSystemLogCollector, SYSTEM_LOG_DEFAULTS, type SystemLogOptions } from './collectors/system-log.ts';
import { startDropReports } from './drop-reports.ts';
import { type Host, readHost } from './host.ts';
import { type Instructions, openInstructions } from './instructions.ts';
import { openLossNotes } from './loss-notes.ts';
import { noteLosses, startLossReports } from './loss-reports.ts';
import { createPresence } from './presence.ts';
import { openQueue } from './queue.ts';
import { type CountsByType, createQueueCounts, type QueueFigures } from './queue-counts.ts';
import { relaysToTry } from './relay-choice.ts';
import { createRelayLink } from './relay-link.ts';
import { createTrustedRoots } from './roots.ts';
import { fraction } from './sender.ts';
import { createSenders } from './senders.ts';

/** What is collected, and how often (milliseconds); 0 switches a collector off. What is given here holds, whatever pace the relay asks for. */
export interface CollectOptions {
  readonly heartbeatMs: number;
  readonly performanceMs: number;
  readonly systemLogMs: number;
  readonly systemLog: SystemLogOptions;
}

export const COLLECT_DEFAULTS: CollectOptions = { heartbeatMs: 60_000, performanceMs: 60_000, systemLogMs: 5_000, systemLog: SYSTEM_LOG_DEFAULTS };

/** Which option is a collector's pace. */
const PACES: Readonly<Record<string, 'heartbeatMs' | 'performanceMs' | 'systemLogMs'>> = {
  heartbeat: 'heartbeatMs',
  performance: 'performanceMs',
  'system-log': 'systemLogMs',
};

/** The queue's limit unless another is given, in bytes. */
export const DEFAULT_QUEUE_BYTES: number = 100 * 1024 * 1024;

/** Time a request under way gets to finish at stop. */
const STOP_GRACE_MS = 5_000;

export interface AgentOptions {
  /** The data folder of an enrolled agent. */
  readonly folder: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random?: Random;
  readonly collect?: Partial<CollectOptions>;
  /** Bytes of disk that waiting batches may take; 100 MiB by default. */
  readonly queueLimitBytes?: number;
  /** Remembers the id of every acknowledged batch, for demonstrations and tests. */
  readonly rememberAcknowledged?: boolean;
}

export interface AgentStats extends QueueFigures {
  /** Bytes of disk that waiting batches take. */
  readonly queuedBytes: number;
  /** Batches acknowledged since the start, by the route they went. */
  readonly acknowledgedBy: Readonly<Record<Route, CountsByType>>;
  /** Empty unless `rememberAcknowledged`. */
  readonly acknowledgedIds: ReadonlySet<BatchId>;
}

export interface Agent {
  /** Reads the folder, then collects and sends. Throws `relay.agent.not-enrolled`. Call it once. */
  start(): Promise<void>;
  /** Ends the collecting, then the sending; what waits stays on disk. */
  stop(): Promise<void>;
  stats(): AgentStats;
}

interface Running {
  readonly usedBytes: () => number;
  stop(): Promise<void>;
}

/** Makes an agent; nothing happens before `start`. */
export function createAgent(options: AgentOptions): Agent {
  const counts = createQueueCounts(options.rememberAcknowledged ?? false);
  let running: Running | undefined;
  return {
    async start() {
      running = await startAgent(options, counts);
    },
    async stop() {
      await running?.stop();
    },
    stats: () => ({
      ...counts.figures(),
      queuedBytes: running?.usedBytes() ?? 0,
      acknowledgedBy: counts.acknowledgedBy(),
      acknowledgedIds: counts.acknowledgedIds(),
    }),
  };
}

async function startAgent(options: AgentOptions, counts: ReturnType<typeof createQueueCounts>): Promise<Running> {
  const { folder, clock, log, random = randomFillSync } = options;
  const { settings, identity, root } = await readEnrolment(folder);
  const host = await readHost(settings.hostName);
  const queueLog = log.child({ component: 'queue' });
  const instructions = await openInstructions(folder, log.child({ component: 'check-in' }));
  const notes = await openLossNotes(join(folder, 'losses.json'), queueLog);
  const queue = await openQueue({
    folder: join(folder, 'queue'),
    limitBytes: limitOf(options, instructions),
    counts: noteLosses(counts, notes, clock),
    clock,
    random,
    log: queueLog,
  });
  const link = createRelayLink({
    relays: relaysToTry(settings, instructions.current()?.relays),
    root,
    identity,
    chance: () => fraction(random),
    clock,
    log: log.child({ component: 'relays' }),
  });
  const roots = createTrustedRoots({ folder, link, log: log.child({ component: 'roots' }) });
  const presence = createPresence({ folder, settings, link, roots, host, clock, log: log.child({ component: 'presence' }) });
  const senders = createSenders({ queue, instructions, link, clock, random, log });
  const checkIn = createCheckIn({
    link,
    instructions,
    learnRoots: roots.accept,
    chance: () => fraction(random),
    clock,
    log: log.child({ component: 'check-in' }),
  });

  presence.start();
  senders.start();
  const paceOf: PaceOf = (collector) => paceNow(collector, options.collect, instructions);
  const collecting = startCollecting(collectors(options, host), { put: queue.put, paceOf, clock, log: log.child({ component: 'collecting' }) });
  instructions.onChange(() => {
    link.use(relaysToTry(settings, instructions.current()?.relays, link.relay));
    queue.limit(limitOf(options, instructions));
    queue.wake();
    collecting.adjust();
  });
  checkIn.start();
  const endReports = startDropReports(counts, clock, queueLog);
  const acknowledged = (): number => Object.values(counts.figures().acknowledged).reduce((sum, one) => sum + one, 0);
  const endLossReports = startLossReports({ notes, put: queue.put, acknowledged, hostName: host.name, clock, log: queueLog });
  log.info({ agentId: settings.agentId, workspaceId: settings.workspaceId, relay: settings.relay }, 'agent started');
  return {
    usedBytes: queue.usedBytes,
    async stop() {
      await Promise.all([collecting.stop(), endLossReports(), checkIn.stop()]);
      await Promise.all([senders.stop(STOP_GRACE_MS), presence.stop(), link.close(STOP_GRACE_MS)]);
      endReports();
      await notes.close();
      log.info('agent stopped');
    },
  };
}

// The relay's word on the queue's size comes before the agent's own setting.
function limitOf({ queueLimitBytes = DEFAULT_QUEUE_BYTES }: AgentOptions, instructions: Instructions): number {
  return instructions.current()?.queueLimitBytes ?? queueLimitBytes;
}

// The relay says whether and how often; a pace that was given to this very agent stays.
function paceNow({ name, solution, everyMs }: Collector, collect: AgentOptions['collect'], instructions: Instructions): number | undefined {
  const setting = instructions.setting(solution);
  if (setting && !setting.isEnabled) return undefined;
  return collect?.[PACES[name] ?? 'systemLogMs'] !== undefined ? everyMs : (setting?.everyMs ?? everyMs);
}

function collectors({ folder, clock, log, collect }: AgentOptions, host: Host): Collector[] {
  const { heartbeatMs, performanceMs, systemLogMs, systemLog } = { ...COLLECT_DEFAULTS, ...collect };
  const logParts = { folder, hostName: host.name, everyMs: systemLogMs, clock, log: log.child({ component: 'system-log' }) };
  return [
    ...(heartbeatMs > 0 ? [createHeartbeatCollector(host, heartbeatMs, clock)] : []),
    ...(performanceMs > 0 ? [createPerformanceCollector(host.name, performanceMs, clock)] : []),
    ...(systemLogMs > 0 ? [createSystemLogCollector(systemLog, logParts)] : []),
  ];
}
