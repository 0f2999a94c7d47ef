import { kindOf } from '../batch/kind.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { LOSS_FATES, type LossFate, type LossNote, type LossNotes } from './loss-notes.ts';
import type { QueueCounts } from './queue-counts.ts';
import type { Collection } from './upload-body.ts';

/** One report a minute at most: a report takes room in the queue, too. */
const REPORT_EVERY_MS = 60_000;
const OPERATION_TYPE = 'OPERATION_BLOB';
const SOLUTION = 'LogManagement';

const WHY: Readonly<Record<LossFate, string>> = {
  dropped: "were dropped, because the agent's queue was full",
  refused: 'were put aside, because the relay will never take them',
  unreadable: 'were put aside, because their files were damaged',
};

export interface LossReportParts {
  readonly notes: LossNotes;
  /** Takes the report like any other record: durably. */
  readonly put: (collection: Collection) => Promise<void>;
  /** How many batches were acknowledged so far: a growing figure says that the agent can send. */
  readonly acknowledged: () => number;
  readonly hostName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Counts as before, and notes what is given up so that it can be reported. A report that is refused is not reported itself. */
export function noteLosses(counts: QueueCounts, notes: LossNotes, clock: Clock): QueueCounts {
  return {
    ...counts,
    count(fate, dataType, by = 1) {
      counts.count(fate, dataType, by);
      const loss = LOSS_FATES.find((known) => known === fate);
      if (!loss || (loss === 'refused' && dataType === OPERATION_TYPE)) return;
      notes.add({ fate: loss, dataType, batches: by, firstAt: clock.now(), lastAt: clock.now() });
    },
  };
}

/** Reports what was given up as Operation records, as soon as the agent can send again; once, but for a kill between queueing a report and noting that. */
export function startLossReports({ notes, put, acknowledged, hostName, clock, log }: LossReportParts): () => Promise<void> {
  let seen = acknowledged();
  let running = Promise.resolve();

  const report = async (): Promise<void> => {
    const canSend = acknowledged() > seen;
    seen = acknowledged();
    if (!canSend || notes.isEmpty()) return;
    try {
      await notes.handOver((losses) =>
        put({ dataType: OPERATION_TYPE, solution: SOLUTION, records: losses.map((loss) => recordOf(loss, hostName, clock.now())) }),
      );
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'what was lost could not be reported; it is tried again');
    }
  };
  const end = every(clock, REPORT_EVERY_MS, () => {
    running = report();
    return running;
  });
  return async () => {
    end();
    await running;
  };
}

function recordOf({ fate, dataType, batches, firstAt, lastAt }: LossNote, hostName: string, now: number): Record<string, string> {
  const [from, to] = [new Date(firstAt).toISOString(), new Date(lastAt).toISOString()];
  return {
    Timestamp: new Date(now).toISOString(),
    OperationStatus: 'Warning',
    Computer: hostName,
    Detail: `${batches} batches of ${kindOf(dataType, '')} data, ${dataType}, ${WHY[fate]}; from ${from} to ${to}.`,
    Category: 'Agent',
    Solution: SOLUTION,
  };
}
