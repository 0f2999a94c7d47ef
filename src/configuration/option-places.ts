import type { z } from 'zod';
import { factsOf, type OptionFacts } from '../options.ts';

/** An option and where it stands. */
export interface OptionPlace {
  /** `cache.redis.port`; `[]` stands for each item of a list: `workspaces[].id`. */
  readonly path: string;
  readonly facts: OptionFacts;
  /** Its environment variable; undefined inside a list. */
  readonly variable?: string | undefined;
}

/** Every option of a schema, in the order of its declaration. */
export function optionPlaces(schema: z.core.$ZodType, path = ''): readonly OptionPlace[] {
  const facts = factsOf(schema);
  const own = facts ? [{ path, facts, variable: path.includes('[]') ? undefined : variableOf(path) }] : [];
  return [...own, ...within(schema as z.core.$ZodTypes, path)];
}

/** The environment variable of an option: `cache.groupSize` has `RELAY_CACHE_GROUP_SIZE`. */
export function variableOf(path: string): string {
  return `RELAY_${path.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** A copy of `value` in which `change` was applied to what stands at `path`, if anything does. */
export function changeAt(value: unknown, path: string, change: (found: unknown) => unknown): unknown {
  return changeBelow(value, path.replaceAll('[]', '.[]').split('.'), change);
}

/** True for what YAML calls a mapping. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function within(schema: z.core.$ZodTypes, path: string): readonly OptionPlace[] {
  const { def } = schema._zod;
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape).flatMap(([key, field]) => optionPlaces(field, path === '' ? key : `${path}.${key}`));
    case 'array':
      return optionPlaces(def.element, `${path}[]`);
    case 'union':
      return def.options.flatMap((each) => optionPlaces(each, path));
    case 'prefault':
    case 'optional':
      return optionPlaces(def.innerType, path);
    case 'pipe':
      return [...optionPlaces(def.in, path), ...optionPlaces(def.out, path)];
    default:
      return [];
  }
}

function changeBelow(value: unknown, [key, ...rest]: readonly string[], change: (found: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  if (key === '[]') return Array.isArray(value) ? value.map((item: unknown) => changeBelow(item, rest, change)) : value;
  if (!isMapping(value) || value[key] === undefined) return value;
  return { ...value, [key]: changeBelow(value[key], rest, change) };
}
