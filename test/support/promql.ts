/** Reads PromQL with Prometheus's own grammar, and says what in it nobody exposes. */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { METRICS } from '../../src/metrics/catalogue.ts';
import type { MetricDeclaration } from '../../src/metrics/declaration.ts';

/** What stands for series in an expression: a metric and the labels it is narrowed by. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

export interface Expression {
  /** Places that do not parse, with what stands before and behind. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  readonly groupings: readonly string[];
  /** Labels that label_replace and label_join make. */
  readonly made: readonly string[];
}

const AROUND = 20;

export function readExpression(text: string): Expression {
  const nodes: SyntaxNode[] = [];
  parser.parse(text).iterate({ enter: ({ node }) => void nodes.push(node) });
  const named = (name: string): SyntaxNode[] => nodes.filter((node) => node.name === name);
  const written = (node: SyntaxNode | null | undefined): string => (node ? text.slice(node.from, node.to) : '');
  return {
    errors: nodes.filter(({ type }) => type.isError).map(({ from }) => `${text.slice(Math.max(0, from - AROUND), from)} ⚠ ${text.slice(from, from + AROUND)}`),
    selectors: named('VectorSelector').map((node) => ({
      metric: written(node.getChild('Identifier')),
      labels: (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map((matcher) => written(matcher.getChild('LabelName'))),
    })),
    groupings: named('GroupingLabels').flatMap((node) => node.getChildren('LabelName').map(written)),
    made: [...named('LabelReplace'), ...named('LabelJoin')].map((node) => unquoted(written(argumentsOf(node)?.getChild('StringLiteral')))),
  };
}

/** What other programs expose and our rules and dashboards name. Which labels those have is not ours to say. */
const OF_OTHERS = /^(up|ALERTS|(node|redis|process|nodejs)_[A-Za-z0-9_]+)$/;
const OF_TARGETS = ['instance', 'job'];
const DECLARED: ReadonlyMap<string, MetricDeclaration> = new Map(Object.values(METRICS).map((metric: MetricDeclaration) => [metric.name, metric]));

/** The labels of a metric, those of its target among them; `any` for what other programs expose, `unknown` for what nobody does. */
export function labelsOf(metric: string): readonly string[] | 'any' | 'unknown' {
  if (OF_OTHERS.test(metric)) return 'any';
  const [, base = metric, part] = /^(.+)_(bucket|sum|count)$/.exec(metric) ?? [];
  const histogram = DECLARED.get(base);
  if (part !== undefined && histogram?.type === 'histogram') return [...OF_TARGETS, ...histogram.labels, ...(part === 'bucket' ? ['le'] : [])];
  const declared = DECLARED.get(metric);
  return declared && declared.type !== 'histogram' ? [...OF_TARGETS, ...declared.labels] : 'unknown';
}

/** The labels that the result of an expression can have at most, or `any`. */
export function labelsWithin(text: string): readonly string[] | 'any' {
  const { selectors, made } = readExpression(text);
  const labels = selectors.map(({ metric }) => labelsOf(metric));
  return labels.includes('any') ? 'any' : [...made, ...labels.flatMap((one) => (Array.isArray(one) ? (one as string[]) : []))];
}

/** What is wrong with an expression: what does not parse, metrics that nobody exposes, labels that a metric does not have. Empty when all is well. */
export function problemsOf(text: string): string[] {
  const { errors, selectors, groupings } = readExpression(text);
  const within = labelsWithin(text);
  const strange = within === 'any' ? [] : groupings.filter((label) => !within.includes(label));
  return [
    ...errors.map((place) => `does not parse: ${place}`),
    ...selectors.flatMap(unknownIn),
    ...strange.map((label) => `no metric here has the label ${label} that is grouped by`),
  ];
}

function unknownIn({ metric, labels }: Selector): string[] {
  const known = labelsOf(metric);
  if (known === 'any') return [];
  if (known === 'unknown') return [`${metric} is not in the catalogue`];
  return labels.filter((label) => !known.includes(label)).map((label) => `${metric} has no label ${label}`);
}

// The name of a function stands in FunctionIdentifier, and that in FunctionCall.
function argumentsOf(name: SyntaxNode): SyntaxNode | null | undefined {
  return name.parent?.parent?.getChild('FunctionCallBody');
}

function unquoted(literal: string): string {
  return literal.slice(1, -1);
}
