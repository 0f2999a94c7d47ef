import { createInterface } from 'node:readline/promises';

/** Asks a person; false when there is nobody to ask. */
export type Confirm = (question: string) => Promise<boolean>;

/** Asks at the terminal. */
export const askPerson: Confirm = async (question) => {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} [y/N] `)).trim().toLowerCase() === 'y';
  } finally {
    lines.close();
  }
};
