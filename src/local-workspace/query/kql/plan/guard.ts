import { MAX_DEPTH, MAX_OPERATORS } from '../limits.ts';
import { semanticProblem, type Word } from '../problem.ts';

/** Keeps a query's plan small: lets that use lets twice could double it with every line. */
export interface Guard {
  readonly size: number;
  /** Counts operators and tables; a semantic problem at `word` when there are too many. */
  count(word: Word, size: number): void;
  /** Binds a query within a query; a semantic problem when there are too many around it. */
  within<T>(word: Word, bindIt: () => T): T;
}

export function createGuard(): Guard {
  let size = 0;
  let depth = 0;
  return {
    get size() {
      return size;
    },
    count(word, more) {
      size += more;
      if (size > MAX_OPERATORS) throw semanticProblem(word, `A query has at most ${MAX_OPERATORS} operators and tables, each use of a let counted again.`);
    },
    within(word, bindIt) {
      depth += 1;
      if (depth > MAX_DEPTH) throw semanticProblem(word, `There are more than ${MAX_DEPTH} queries within each other.`);
      const bound = bindIt();
      depth -= 1;
      return bound;
    },
  };
}
