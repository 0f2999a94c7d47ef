import { promisify } from 'node:util';
import { constants, deflate } from 'node:zlib';
import { createBatchId, type Random } from '../../batch/batch-id.ts';
import type { Clock } from '../../clock.ts';
import { messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { AgentKey } from '../../management-group/agent.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { createPause, type Pause } from '../../pause.ts';
import type { Accept, Arrival } from '../accept.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const DATA_TYPE = 'LINUX_SYSLOGS_BLOB';
const SOLUTION = 'LogManagement';

const deflated = promisify<Buffer, { level: number }, Buffer>(deflate);

/** Records of one sender that are kept together. */
export interface GatheredBatch {
  readonly sender: AgentKey;
  /** JSON, each. */
  readonly records: readonly string[];
}

/** Ends the tries of whoever holds it. */
export interface GivingUp {
  readonly isGivenUp: () => boolean;
  readonly pause: Pause;
  giveUp(): void;
}

export function createGivingUp(clock: Clock): GivingUp {
  const pause = createPause(clock);
  let isGivenUp = false;
  return {
    isGivenUp: () => isGivenUp,
    pause,
    giveUp() {
      isGivenUp = true;
      pause.wake();
    },
  };
}

export interface StoreBatchParts {
  readonly accept: Pick<Accept, 'accept'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Keeps a batch, and tries for as long as the cache does not take it: nobody else has it any more. False when it was given up. */
export type StoreBatch = (batch: GatheredBatch, giving: GivingUp) => Promise<boolean>;

export function createStoreBatch({ accept, clock, random, metrics, log }: StoreBatchParts): StoreBatch {
  const tryOnce = async (arrival: Arrival): Promise<RelayError | undefined> => {
    try {
      await accept.accept(arrival);
      return undefined;
    } catch (error) {
      return error instanceof RelayError ? error : new RelayError('relay.internal', messageOf(error), { cause: error });
    }
  };

  return async ({ sender: { workspaceId, agentId }, records }, { isGivenUp, pause }) => {
    // Every try is of the same batch, so that what was kept in part is not kept twice.
    const id = createBatchId(clock.now(), random);
    const body = await bodyOf(records);
    const origin = { protocol: 'operational-data', service: 'operational-data', encoding: 'deflate', headers: {} } as const;
    for (let tries = 0; ; tries += 1) {
      const refusal = await tryOnce({ id, workspaceId, agentId, dataType: DATA_TYPE, solution: SOLUTION, origin, body });
      if (!refusal) {
        if (tries > 0) log.info({ workspaceId, agentId, tries }, 'what a syslog sender sent is kept again');
        return true;
      }
      metrics.count('syslogRetries', { reason: refusal.code });
      if (tries === 0) {
        const facts = { code: refusal.code, workspaceId, agentId, reason: refusal.message };
        log.warn(facts, 'what a syslog sender sent is not kept yet; the relay tries again, and reads nothing more of this sender meanwhile');
      }
      if (!isGivenUp()) await pause.wait(Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS));
      if (isGivenUp()) return false;
    }
  };
}

// The fastest level costs less than sealing and writing the five times as many bytes that it saves.
async function bodyOf(records: readonly string[]): Promise<Buffer> {
  const json = Buffer.from(`{"DataType":"${DATA_TYPE}","IPName":"${SOLUTION}","DataItems":[${records.join(',')}]}`);
  return await deflated(json, { level: constants.Z_BEST_SPEED });
}
