/**
 * What one connection has brought and is not kept yet. Records are gathered into batches by time and size, and the batches are kept one after
 * another, in order. Invariant: what was added is kept, or counted by `waiting`.
 */
import type { Clock } from '../../clock.ts';
import type { AgentKey } from '../../management-group/agent.ts';
import type { ByteBudget } from './byte-budget.ts';
import { createGivingUp, type GatheredBatch, type StoreBatch } from './store-batch.ts';

/** One that is being kept, and one behind it. */
const MOST_CLOSED = 2;

export interface BatchLineParts {
  /** Milliseconds that a record waits for others. */
  readonly batchEveryMs: number;
  /** Bytes of records that make a batch; one record may be larger. */
  readonly batchBytes: number;
  readonly store: StoreBatch;
  /** Shared by all lines. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
  /** Called when there may be room again. */
  readonly onRoom: () => void;
}

export interface BatchLine {
  /** Adds a record, in JSON. It is taken whether there is room or not. */
  add(record: string, sender: AgentKey): void;
  /** Whether more should be read. */
  hasRoom(): boolean;
  /** Records that are not kept yet. */
  waiting(): number;
  /** Nothing more will come: resolves when all is kept, or was given up. */
  finish(): Promise<void>;
  /** Ends the tries. What waits is lost. */
  giveUp(): void;
}

interface Gathering extends GatheredBatch {
  readonly records: string[];
  bytes: number;
}

export function createBatchLine({ batchEveryMs, batchBytes, store, budget, clock, onRoom }: BatchLineParts): BatchLine {
  const giving = createGivingUp(clock);
  const closed: Gathering[] = [];
  let open: Gathering | undefined;
  let cancel = (): void => {};
  let storing: Promise<void> | undefined;

  const storeAll = async (): Promise<void> => {
    for (let batch = closed[0]; batch; batch = closed[0]) {
      if (!(await store(batch, giving))) break;
      closed.shift();
      budget.giveBack(batch.bytes);
      onRoom();
    }
    storing = undefined;
  };
  const close = (): void => {
    cancel();
    if (open) closed.push(open);
    open = undefined;
    if (closed.length > 0 && !giving.isGivenUp()) storing ??= storeAll();
  };
  const begin = (sender: AgentKey): Gathering => {
    cancel = clock.after(batchEveryMs, close);
    return { sender, records: [], bytes: 0 };
  };

  return {
    add(record, sender) {
      const bytes = Buffer.byteLength(record);
      if (open && (open.bytes + bytes > batchBytes || !isSame(open.sender, sender))) close();
      open ??= begin(sender);
      open.records.push(record);
      open.bytes += bytes;
      budget.take(bytes);
      if (open.bytes >= batchBytes) close();
    },
    hasRoom: () => closed.length < MOST_CLOSED && !budget.isSpent(),
    waiting: () => closed.reduce((sum, { records }) => sum + records.length, open?.records.length ?? 0),
    async finish() {
      close();
      await storing;
    },
    giveUp: giving.giveUp,
  };
}

function isSame(one: AgentKey, other: AgentKey): boolean {
  return one.agentId === other.agentId && one.workspaceId === other.workspaceId;
}
