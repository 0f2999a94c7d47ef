/** A thread that makes requests of batches: inflating, looking into and deflating many megabytes must not hold up those that send. Started by `transformer.ts`. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { type TransformTask, transform } from './transform.ts';
import type { TransformReply } from './transformer.ts';

parentPort?.on('message', (task: TransformTask) => {
  const reply = replyTo(task);
  const given = 'done' in reply ? reply.done.pieces.map(({ data }) => data.buffer as ArrayBuffer) : [];
  parentPort?.postMessage(reply, given);
});

function replyTo(task: TransformTask): TransformReply {
  try {
    return { done: transform(task) };
  } catch (error) {
    return { failed: messageOf(error) };
  }
}
