import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Asks a person at the terminal. */
export interface Ask {
  /** Whether there is somebody to ask. */
  readonly isThere: boolean;
  /** An empty answer gives `byDefault`. */
  line(question: string, byDefault?: string): Promise<string>;
  /** What is typed is not shown. */
  secret(question: string): Promise<string>;
}

export const terminal: Ask = {
  get isThere() {
    return process.stdin.isTTY;
  },
  async line(question, byDefault) {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = (await lines.question(`${question}${byDefault ? ` [${byDefault}]` : ''}: `)).trim();
      return answer === '' ? (byDefault ?? '') : answer;
    } finally {
      lines.close();
    }
  },
  async secret(question) {
    process.stderr.write(`${question} (not shown): `);
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
    try {
      return (await lines.question('')).trim();
    } finally {
      lines.close();
      process.stderr.write('\n');
    }
  },
};
