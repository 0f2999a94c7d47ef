/**
 * What operators said about solutions with a command, kept in one small file: it survives restarts and stands before the configuration. A change
 * holds once it is on disk; changes are written one after the other. A file that cannot be read is set aside, and everything else goes on.
 */
import { rename } from 'node:fs/promises';
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { readFileIfAny, writeFileAtomic } from '../files.ts';
import type { Logger } from '../logger.ts';
import { isSameTarget, type RouteRule, type RuleTarget, type RuleWords } from './route.ts';
import { problemOf } from './rule-problem.ts';

const MAX_RULES = 1_000;

const rule = z.object({
  solution: z.string(),
  dataType: z.string().optional(),
  group: z.string().optional(),
  route: z.enum(['relay', 'direct']).optional(),
  isEnabled: z.boolean().optional(),
  everyMs: z.number().int().positive().optional(),
});
const content = z.object({ version: z.number().int().min(0), rules: z.array(rule).max(MAX_RULES) });

type Content = { readonly version: number; readonly rules: readonly RouteRule[] };

export interface OperatorRoutes {
  /** Counts the changes. */
  version(): number;
  list(): readonly RouteRule[];
  /** Adds words to what was said about the target before. */
  say(target: RuleTarget, words: RuleWords): Promise<void>;
  /** Takes back everything that was said about the target; about the solution in every respect when it names no data type and no group. False when there was nothing. */
  takeBack(target: RuleTarget): Promise<boolean>;
  /** Puts these in place of all. False when they are the same. */
  replaceAll(rules: readonly RouteRule[]): Promise<boolean>;
}

/** Opens the file at `path`; it is made with the first change. */
export async function openOperatorRoutes(path: string, { now, log }: { readonly now: () => number; readonly log: Logger }): Promise<OperatorRoutes> {
  let current = await read(path, now, log);
  let writing: Promise<unknown> = Promise.resolve();

  const change = (next: (rules: readonly RouteRule[]) => readonly RouteRule[] | undefined): Promise<boolean> => {
    const write = async (): Promise<boolean> => {
      const rules = next(current.rules);
      if (!rules) return false;
      const changed = { version: current.version + 1, rules };
      await writeFileAtomic(path, `${JSON.stringify(changed, undefined, 2)}\n`);
      current = changed;
      return true;
    };
    const written = writing.then(write);
    writing = written.catch(() => {});
    return written;
  };

  return {
    version: () => current.version,
    list: () => current.rules,
    async say(target, words) {
      await change((rules) => {
        const before = rules.find((each) => isSameTarget(each, target));
        if (!before && rules.length >= MAX_RULES)
          throw new RelayError('relay.routing.too-many-rules', `Operators have said ${MAX_RULES} things already. Take some back: relay solutions reset`);
        return [...rules.filter((each) => each !== before), { ...before, ...target, ...words }];
      });
    },
    takeBack: (target) =>
      change((rules) => {
        const wholeSolution = target.dataType === undefined && target.group === undefined;
        const rest = rules.filter((each) => (wholeSolution ? each.solution !== target.solution : !isSameTarget(each, target)));
        return rest.length < rules.length ? rest : undefined;
      }),
    replaceAll: (others) => change((rules) => (JSON.stringify(rules) === JSON.stringify(others) ? undefined : others.slice(0, MAX_RULES))),
  };
}

async function read(path: string, now: () => number, log: Logger): Promise<Content> {
  const text = (await readFileIfAny(path))?.toString();
  if (text === undefined) return { version: 0, rules: [] };
  const found = content.safeParse(parse(text));
  if (found.success) return { version: found.data.version, rules: found.data.rules.filter((each) => isUsable(each, log)) };
  const aside = `${path}.damaged-${now()}`;
  await rename(path, aside);
  log.error({ aside }, 'the operators’ routes cannot be read and were set aside; the configuration and the table hold. Say them again: relay solutions route');
  return { version: 0, rules: [] };
}

// A solution that this release does not have, say.
function isUsable(found: RouteRule, log: Logger): boolean {
  const problem = problemOf(found);
  if (problem !== undefined) log.warn({ solution: found.solution, problem }, 'what an operator said about a solution no longer holds');
  return problem === undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
