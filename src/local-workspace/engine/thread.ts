/** The engine's thread: what it is asked comes as messages, and so do its answers. */
import { parentPort } from 'node:worker_threads';
import { messageOf, RelayError } from '../../errors.ts';
import { createEngine } from './engine.ts';
import type { Asked, GivenUp, Told } from './messages.ts';

const port = parentPort;
if (!port) throw new Error('This is the thread of the local workspace; start it with: relay local-workspace start');

const tell = (told: Told): void => port.postMessage(told);
const engine = createEngine((event) => tell({ event }));

const underway = new Map<number, AbortController>();

const answer = async ({ id, name, workspaceId, given }: Asked): Promise<void> => {
  const ending = new AbortController();
  underway.set(id, ending);
  try {
    tell({ id, answer: await engine.ask(name, workspaceId, given as never, ending.signal) });
  } catch (error) {
    tell({ id, error: { code: error instanceof RelayError ? error.code : undefined, message: messageOf(error) } });
  } finally {
    underway.delete(id);
  }
};

port.on('message', (message: Asked | GivenUp) => {
  if ('givenUp' in message) underway.get(message.givenUp)?.abort();
  else void answer(message);
});
