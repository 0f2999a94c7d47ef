import type { Redis } from 'ioredis';
import type { Batch } from '../batch/batch.ts';
import type { Random } from '../batch/batch-id.ts';
import type { Kind } from '../batch/kind.ts';
import type { Clock } from '../clock.ts';
import type { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RetrySchedule } from '../retry/schedule.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Loss } from './loss.ts';
import type { RedisAddress } from './redis.ts';
import type { SettlementParts } from './settlement.ts';

/** A step that is over: its milliseconds, and how many of them it ended ago. */
export interface KeepingStep {
  readonly step: 'seal' | 'store' | 'index';
  readonly ms: number;
  readonly agoMs?: number;
}

export interface CacheSettings {
  /** The cache's folder: `segments`, `dead-letters` and `losses` are in it. */
  readonly folder: string;
  /** Undefined: what the partition has room for at the start. */
  readonly limitBytes: number | undefined;
  readonly limitPerWorkspaceBytes: number | undefined;
  /** The six kinds; a full cache drops the first first. */
  readonly dropOrder: readonly Kind[];
  readonly deadLetterLimitBytes?: number;
  readonly groupBatches: number;
  readonly groupBytes: number;
  readonly segmentBytes: number;
  readonly memoryBytes: number;
  readonly groupsInFlight: number;
  /** For workspaces that take more, or fewer. */
  readonly groupsInFlightOf?: ReadonlyMap<WorkspaceId, number> | undefined;
  readonly schedule: RetrySchedule;
  /** Bytes offered to a workspace in a second at most. */
  readonly maxBytesPerS?: number | undefined;
  /** How long data may wait; without it for ever. */
  readonly maxAgeMs?: number;
  /** How long nothing may move before the watchdog acts; without it there is none. */
  readonly watchdogMs?: number;
}

export interface CacheParts {
  readonly workspaces: readonly WorkspaceId[];
  readonly keys: KeyRing;
  readonly redis: Redis;
  readonly redisAddress: RedisAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onDamage: (bytes: number) => void;
  /** The watchdog made a workspace's connection anew. */
  readonly onReconnect?: (workspaceId: WorkspaceId) => void;
  /** Nothing moves any more: the process must end. */
  readonly onStuck?: (error: RelayError) => void;
  /** Told of everything that was given up, once it is in the loss ledger. */
  readonly onLoss: (loss: Loss) => void;
  readonly onDeadRecords?: SettlementParts['onDeadRecords'];
  readonly onDelivered?: SettlementParts['onDelivered'];
  /** Told of each step of keeping that batches of one group went through together. */
  readonly onStep?: ((batches: readonly Batch[], step: KeepingStep) => void) | undefined;
  /** Told of each group that was found to be taken by nobody, and is offered again. */
  readonly onStalled?: (workspaceId: WorkspaceId) => void;
}
