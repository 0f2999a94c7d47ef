/** The thread that opens bodies: inflating and looking through many megabytes must not hold up those that send. Started by `record-opener.ts`. */
import { parentPort } from 'node:worker_threads';
import { createRecordDesk, type RecordTask } from './record-task.ts';

const desk = createRecordDesk();
parentPort?.on('message', (task: RecordTask) => parentPort?.postMessage(desk(task)));
