import type { Agent } from './agent.ts';

/** Solutions kept for each agent: an agent that invents names cannot fill the memory. */
const MAX_SOLUTIONS = 64;
const MAX_NAME_CHARS = 100;
/** A solution's time is noted this often at most, in milliseconds. */
const SOLUTION_NOTED_EVERY_MS = 60_000;

/** What an agent has sent so far, with one more batch. */
export type Received = Pick<Agent, 'receivedBatches' | 'receivedBytes' | 'solutions'>;

/** Adds a batch to what was received from an agent. */
export function withBatch({ receivedBatches, receivedBytes, solutions }: Received, solution: string, bytes: number, now: number): Received {
  return { receivedBatches: receivedBatches + 1, receivedBytes: receivedBytes + bytes, solutions: withSolution(solutions, solution, now) };
}

// The same object as long as there is nothing to note: this runs for each batch.
function withSolution(solutions: Received['solutions'], solution: string, now: number): Received['solutions'] {
  const name = solution.slice(0, MAX_NAME_CHARS);
  const last = Object.hasOwn(solutions, name) ? solutions[name] : undefined;
  if (name === '' || (last !== undefined && now >= last && now - last < SOLUTION_NOTED_EVERY_MS)) return solutions;
  const newest = Object.entries({ ...solutions, [name]: now }).sort(([, a], [, b]) => b - a);
  return Object.fromEntries(newest.slice(0, MAX_SOLUTIONS));
}
