import { type Budget, textBytes } from '../budget.ts';
import { MAX_LIST_ELEMENTS } from '../limits.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { isNull } from '../values/cell.ts';
import { toDynamic } from '../values/convert.ts';
import { cellAt } from '../vectors/batch.ts';
import { createVectorBuilder } from '../vectors/vector-builder.ts';
import { type Accumulator, type AggregateFunction, argumentAt, constantNumber, resultName } from './aggregate.ts';

interface Gathering {
  add(element: string): boolean;
  readonly size: number;
  elements(): Iterable<string>;
}

/** Arrays of a group's values: all, or each once. Nulls are left out. At most 1,048,576 elements, or as many as the second argument says. */
export const COLLECTION_AGGREGATES: readonly AggregateFunction[] = [collecting('make_list', 'list', createList), collecting('make_set', 'set', createSet)];

function collecting(name: string, prefix: string, create: () => Gathering): AggregateFunction {
  return {
    name,
    arity: [1, 2],
    bind(call) {
      const argument = argumentAt(call, 0);
      const most = call.args.length > 1 ? constantNumber(call, 1, 'the most elements') : MAX_LIST_ELEMENTS;
      return {
        outputs: [{ name: resultName(prefix, argument), type: 'dynamic' }],
        columns: argument.scalar.columns,
        start: (budget) => createCollector(argument.scalar, Math.min(most, MAX_LIST_ELEMENTS), create, budget),
      };
    },
  };
}

function createCollector(scalar: Scalar, most: number, create: () => Gathering, budget: Budget): Accumulator {
  const gathered: Gathering[] = [];
  return {
    add(batch, groups, count) {
      while (gathered.length < count) gathered.push(create());
      const vector = scalar.evaluate(batch);
      for (let row = 0; row < batch.rows; row += 1) {
        const one = gathered[groups[row] as number];
        const cell = cellAt(vector, row);
        if (!one || one.size >= most || isNull(cell)) continue;
        const element = toDynamic(cell, vector.type) ?? 'null';
        if (one.add(element)) budget.spend(textBytes(element));
      }
    },
    finish(count) {
      const builder = createVectorBuilder('dynamic', count);
      for (let group = 0; group < count; group += 1) builder.set(group, `[${[...(gathered[group]?.elements() ?? [])].join(',')}]`);
      return [builder.build()];
    },
  };
}

function createList(): Gathering {
  const elements: string[] = [];
  return {
    add: (element) => elements.push(element) > 0,
    get size() {
      return elements.length;
    },
    elements: () => elements,
  };
}

function createSet(): Gathering {
  const elements = new Set<string>();
  return {
    add(element) {
      const before = elements.size;
      return elements.add(element).size > before;
    },
    get size() {
      return elements.size;
    },
    elements: () => elements,
  };
}
