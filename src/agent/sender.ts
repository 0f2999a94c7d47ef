import { randomUUID } from 'node:crypto';
import type { Random } from '../batch/batch-id.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { UPLOAD_PATH } from '../oms-protocol/paths.ts';
import { OWN_QUEUE_HEADER, uploadHeaders } from '../oms-protocol/upload-headers.ts';
import { createPause } from '../pause.ts';
import { AGENT_VERSION, USER_AGENT } from './agent-version.ts';
import type { Answer, Connection } from './connection.ts';
import { type NextStep, nextStep } from './next-attempt.ts';
import type { Lane } from './queue.ts';
import type { QueuedBatch } from './queue-index.ts';
import { readRefusal } from './refusal.ts';

export interface Sender {
  start(): void;
  /** Sends nothing more; resolves when the request under way has ended. */
  stop(): Promise<void>;
}

export interface SenderOptions {
  readonly queue: Lane;
  readonly connection: Pick<Connection, 'post'>;
  /** Who is at the other end, for the log. */
  readonly to: 'relay' | 'workspace';
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Sends what waits, one batch at a time. A batch leaves the queue only when it was acknowledged, or will never be taken. */
export function createSender({ queue, connection, to, clock, random, log }: SenderOptions): Sender {
  const pause = createPause(clock);
  const tell = createTeller(to, log);
  let stopping = false;
  let idle = false;
  let failures = 0;
  let running: Promise<void> = Promise.resolve();

  const send = async (batch: QueuedBatch, body: Buffer): Promise<Answer | undefined> => {
    try {
      return await connection.post(UPLOAD_PATH, headersOf(batch), body);
    } catch (thrown) {
      if (!stopping) tell.failed('connection', `the agent keeps its data and goes on trying: ${messageOf(thrown)}`);
      return undefined;
    }
  };
  const settle = async (batch: QueuedBatch, answer: Answer | undefined): Promise<void> => {
    const next = nextStep(answer, { failures: failures + 1, now: clock.now(), chance: fraction(random), from: to });
    if (answer) tell.answered(next.step, batch, answer);
    if (next.step === 'acknowledged' || next.step === 'refused') {
      failures = 0;
      return next.step === 'acknowledged' ? queue.acknowledge(batch) : queue.refuse(batch);
    }
    failures += 1;
    queue.putBack(batch);
    if (!stopping) await pause.wait(next.waitMs);
  };
  const turn = async (): Promise<void> => {
    const batch = queue.take();
    if (!batch) {
      idle = true;
      await pause.wait();
      idle = false;
      return;
    }
    try {
      const body = await queue.read(batch);
      if (body) await settle(batch, await send(batch, body));
    } catch (thrown) {
      queue.putBack(batch);
      throw thrown;
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping) {
      await turn().catch(async (thrown) => {
        tell.failed('disk', `the queue's folder fails: ${messageOf(thrown)}`);
        if (!stopping) await pause.wait(1_000);
      });
    }
  };

  queue.onWork(() => {
    // A wait that was asked for is not cut short.
    if (idle) pause.wake();
  });
  return {
    start() {
      running = run();
    },
    async stop() {
      stopping = true;
      pause.wake();
      await running;
    },
  };
}

function headersOf(batch: QueuedBatch): Record<string, string> {
  const facts = {
    userAgent: USER_AGENT,
    version: AGENT_VERSION,
    requestId: randomUUID(),
    retryCount: batch.attempts,
    encoding: 'deflate',
    batchId: batch.id,
  } as const;
  return { ...uploadHeaders(facts), [OWN_QUEUE_HEADER]: 'true' };
}

/** A number between 0 and 1. */
export function fraction(random: Random): number {
  const bytes = Buffer.allocUnsafe(4);
  random(bytes);
  return bytes.readUInt32BE() / 2 ** 32;
}

interface Teller {
  answered(step: NextStep['step'], batch: QueuedBatch, answer: Answer): void;
  failed(what: 'connection' | 'disk', why: string): void;
}

// One line when sending begins to fail or fails for another reason, one when it works again; not one for each attempt.
function createTeller(to: 'relay' | 'workspace', log: Logger): Teller {
  let trouble = '';
  const say = (what: string, message: string): void => {
    if (what !== trouble) log.warn(message);
    trouble = what;
  };
  return {
    answered(step, batch, answer) {
      if (step === 'acknowledged') {
        if (trouble) log.info(`the ${to} takes batches again`);
        trouble = '';
        log.debug({ batchId: batch.id, dataType: batch.dataType }, 'acknowledged');
        return;
      }
      const { status, reason, message } = readRefusal(answer);
      const said = `${status} ${reason}: ${message}`;
      if (step === 'refused')
        log.warn({ batchId: batch.id, dataType: batch.dataType }, `the ${to} will never take this batch (${said}): put into the folder refused`);
      else if (step === 'not-approved') say(`403 ${reason}`, `the ${to} does not let this agent send: ${said}. The agent keeps its data and asks again`);
      else say(`${status} ${reason}`, `the ${to} asks to wait or fails: ${said}. The agent keeps its data`);
    },
    failed: say,
  };
}
