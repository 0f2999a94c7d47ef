/**
 * What every folder's options are made of. An option is declared once: from that come its type, its default, its check, its row in
 * the reference and its environment variable. A section refuses keys it does not know.
 */
import { z } from 'zod';

/** What an option accepts. `T` is what the relay works with; a file holds what `write` gives. */
export interface Kind<T> {
  /** Its name in the reference: `duration`. */
  readonly name: string;
  /** What is allowed, for a message: `a duration such as 500ms, 8m or 1h30m, from 1m to 7d`. */
  readonly allowed: string;
  /** The same for a cell of the reference, without the name: `1m to 7d`; empty when the name says it all. */
  readonly range: string;
  /** Reads what a file holds; undefined when it is not allowed. */
  read(found: unknown): T | undefined;
  /** What a file would hold for an environment variable's text. */
  fromText(text: string): unknown;
  /** What a file would hold for this value. */
  write(value: T): unknown;
  /** For a list: what its items accept. A bad item is named by its place. */
  readonly item?: Kind<unknown>;
  /** True when a value in the wrong place may be a secret: messages do not show it. */
  readonly hidden?: true;
}

/** What the reference tells of an option; zod keeps it as the schema's metadata. */
export interface OptionFacts {
  readonly kind: Kind<unknown>;
  /** As it reads in a file, or in words; empty when the option must be given. */
  readonly default: string;
  readonly meaning: string;
}

/** The schema of one option, or of a section of them. */
export type Schema<T> = z.ZodType<T>;

/** An option that has `byDefault` (as a file would hold it) when it is not given. */
export function option<T>(kind: Kind<T>, byDefault: string | number | boolean | readonly string[], meaning: string): Schema<T> {
  const shown = Array.isArray(byDefault) ? byDefault.join(', ') || 'none' : String(byDefault);
  return withFacts(reader(kind).prefault(byDefault), { kind, default: shown, meaning });
}

/** An option that may be left out; `otherwise` says in words what holds then. */
export function optional<T>(kind: Kind<T>, otherwise: string, meaning: string): Schema<T | undefined> {
  return withFacts(reader(kind).optional(), { kind, default: otherwise, meaning });
}

/** An option that must be given. */
export function required<T>(kind: Kind<T>, meaning: string): Schema<T> {
  return withFacts(reader(kind), { kind, default: '', meaning });
}

/** A section: exactly the options of `T`. Left out or left empty it holds its defaults. */
export function section<T extends object>(fields: { readonly [Name in keyof T]-?: Schema<T[Name]> }): Schema<T> {
  const object = z.strictObject(fields as z.ZodRawShape, {
    error: (issue) => (issue.code === 'invalid_type' ? notA('a section of options', issue.input) : undefined),
  });
  return z.preprocess((found) => found ?? {}, object).prefault({}) as unknown as Schema<T>;
}

/** A list of sections; none by default. */
export function sections<T>(item: Schema<T>): Schema<readonly T[]> {
  const array = z.array(item, { error: (issue) => (issue.code === 'invalid_type' ? notA('a list', issue.input) : undefined) });
  return z.preprocess((found) => found ?? [], array).prefault([]);
}

/** One of a few words, or a list of sections, which `items` calls by their name. */
export function wordOrSections<Word extends string, T>(
  words: Kind<Word>,
  item: Schema<T>,
  { items, byDefault, meaning }: { items: string; byDefault: Word; meaning: string },
): Schema<Word | readonly T[]> {
  const kind: Kind<unknown> = { ...words, write: (value) => value, name: `${words.name}, or list`, range: `${words.range}, or a list of ${items}` };
  const either = z.union([reader(words), z.array(item)], { error: (issue) => notA(`${words.allowed}, or a list of ${items}`, issue.input) });
  return withFacts(either.prefault(byDefault as never), { kind, default: byDefault, meaning });
}

/** A check between options. */
export interface Check<T> {
  /** The option at fault, below the section; empty for the section itself. */
  readonly at: readonly string[];
  isGood(value: T): boolean;
  /** What was found, and what is allowed. */
  problem(value: T): string;
}

/** A section with a check. It runs whatever else is wrong: an option that could not be read is present, but no text and no number. */
export function check<T>(schema: Schema<T>, { at, isGood, problem }: Check<T>): Schema<T> {
  return schema.refine(isGood, { path: [...at], error: (issue) => problem(issue.input as T), when: () => true });
}

/** What an option's schema tells of itself; undefined for sections and lists of them. */
export function factsOf(schema: z.core.$ZodType): OptionFacts | undefined {
  const { option: facts } = z.globalRegistry.get(schema) ?? {};
  return facts as OptionFacts | undefined;
}

/** A value as a message shows it: JSON, at most 80 characters, without the password of an address. */
export function quote(found: unknown): string {
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object' && found !== null) return 'a section';
  const text = typeof found === 'string' ? JSON.stringify(found.replace(/\/\/.*@/s, '//[secret]@')) : String(found);
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

function reader<T>(kind: Kind<T>): z.ZodPipe<z.ZodUnknown, z.ZodTransform<T, unknown>> {
  return z.unknown().transform((found, context): T => {
    const value = kind.read(found);
    if (value !== undefined) return value;
    for (const fault of faultsOf(kind, found)) context.issues.push({ code: 'custom', ...fault, input: found });
    return z.NEVER;
  });
}

function faultsOf(kind: Kind<unknown>, found: unknown): { path: number[]; message: string }[] {
  const items = Array.isArray(found) ? (found as readonly unknown[]) : [];
  const faults = items.flatMap((each, index) => {
    const bad = kind.item !== undefined && kind.item.read(each) === undefined;
    return bad ? [{ path: [index], message: notA(kind.item.allowed, each) }] : [];
  });
  if (faults.length > 0) return faults;
  const isHidden = kind.hidden === true && found !== undefined && found !== null;
  return [{ path: [], message: isHidden ? `found something that is not shown here; ${kind.allowed}` : notA(kind.allowed, found) }];
}

function notA(allowed: string, found: unknown): string {
  return found === undefined ? `missing; ${allowed}` : `found ${found === null ? 'nothing' : quote(found)}; ${allowed}`;
}

function withFacts<T>(schema: Schema<T>, facts: { kind: Kind<T> | Kind<unknown>; default: string; meaning: string }): Schema<T> {
  return schema.meta({ description: facts.meaning, option: facts });
}
