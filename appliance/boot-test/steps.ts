/** What a boot test says: each step with the time it took and when, in seconds. */

export interface Steps {
  /** Carries out one step and says how it went. Rejects as the step does. */
  step<T>(what: string, act: () => Promise<T>): Promise<T>;
  /** Says a fact between the steps. */
  note(fact: string): void;
}

export function createSteps(write: (line: string) => void, now: () => number): Steps {
  const began = now();
  const seconds = (from: number): string => `${Math.round((now() - from) / 1000)}s`;
  return {
    async step(what, act) {
      const from = now();
      try {
        const result = await act();
        write(`${seconds(began).padStart(6)}  ok      ${what} (${seconds(from)})`);
        return result;
      } catch (error) {
        write(`${seconds(began).padStart(6)}  FAILED  ${what} (${seconds(from)})`);
        throw error;
      }
    },
    note(fact) {
      for (const line of fact.split('\n')) write(`${' '.repeat(16)}${line}`);
    },
  };
}
