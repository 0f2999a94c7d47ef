import { TooLarge } from './problem.ts';

/** The memory that one query may hold as state. */
export interface Budget {
  /** Throws `TooLarge` when these bytes pass the limit. Called before memory is taken. Below 0 gives bytes back. */
  spend(bytes: number): void;
  /** A part of the same limit whose bytes are given back together. */
  part(): BudgetPart;
}

export interface BudgetPart extends Budget {
  /** Gives back all that was spent from this part. */
  end(): void;
}

export function createBudget(limitBytes: number): Budget {
  let spent = 0;
  const spend = (bytes: number): void => {
    spent += bytes;
    if (spent > limitBytes) {
      throw new TooLarge(
        `The query needs more than the ${limitBytes} bytes of memory that a query may hold. Filter earlier, group by fewer values, or sort fewer rows.`,
      );
    }
  };
  return { spend, part: () => createPart(spend) };
}

function createPart(spendWhole: (bytes: number) => void): BudgetPart {
  let spent = 0;
  const spend = (bytes: number): void => {
    spent += bytes;
    spendWhole(bytes);
  };
  return {
    spend,
    part: () => createPart(spend),
    end() {
      spendWhole(-spent);
      spent = 0;
    },
  };
}

/** Roughly what a kept text takes: its characters and what the engine keeps around it. */
export function textBytes(text: string): number {
  return 2 * text.length + 64;
}
