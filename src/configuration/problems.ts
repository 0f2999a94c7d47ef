import type { z } from 'zod';
import { unknownName } from '../nearest.ts';
import type { OptionPlace } from './option-places.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * One sentence for each thing that is wrong, beginning with the option's path: `cache.limit: found "12 parsecs"; a size such as …`.
 * `variables` holds the environment variable of each option that was set by one.
 */
export function problemsOf(error: z.ZodError, places: readonly OptionPlace[], variables: ReadonlyMap<string, string>): readonly string[] {
  const sentence = (path: Path, text: string): string => {
    const option = textOf(path);
    const variable = variables.get(option.replace(/\[\d+\]$/, ''));
    return variable ? `${variable} (${option}): ${text}` : `${option || 'the file'}: ${text}`;
  };
  const sentencesOf = (issue: Issue, parent: Path): readonly string[] => {
    const path = [...parent, ...issue.path];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => sentence([...path, key], unknownOption(key, path, places)));
    const branch = issue.code === 'invalid_union' ? branchMeant(issue.errors) : undefined;
    return branch ? branch.flatMap((each) => sentencesOf(each, path)) : [sentence(path, issue.message)];
  };
  return error.issues.flatMap((issue) => sentencesOf(issue, []));
}

function unknownOption(key: string, path: Path, places: readonly OptionPlace[]): string {
  const parent = textOf(path.map((part) => (typeof part === 'number' ? 0 : part))).replaceAll('[0]', '[]');
  const prefix = parent === '' ? '' : `${parent}.`;
  const below = places.filter((place) => place.path.startsWith(prefix)).map((place) => place.path.slice(prefix.length).split(/[.[]/)[0] ?? '');
  return unknownName('option', key, [...new Set(below)]);
}

// Of a union's branches, the one that got beyond the value itself was meant.
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => issues.some((issue) => issue.path.length > 0));
}

function textOf(path: Path): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${nameOf(part)}`), '');
}

// A key may be any text the file holds.
function nameOf(key: PropertyKey): string {
  const name = String(key);
  return /^[\w-]{1,80}$/.test(name) ? name : JSON.stringify(name.slice(0, 80));
}
