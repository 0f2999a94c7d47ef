/** What may be wrong with an export. */
import { formatHead } from './manifest-head.ts';
import type { ManifestHead } from './manifest-line.ts';

/** `line`: in the manifest. `file`: one that a line names, or that none does. `head`: the note of the last line, or one noted elsewhere. */
export interface ExportFault {
  readonly at: 'manifest' | 'head' | 'key' | 'line' | 'file';
  readonly fault:
    | 'missing'
    | 'changed'
    | 'inserted'
    | 'removed'
    | 'reordered'
    | 'repeated'
    | 'added'
    | 'cut'
    | 'unfinished'
    | 'other-history'
    | 'other-key'
    | 'link';
  /** The number of the line at fault, or of the one that names the file. */
  readonly number?: number | undefined;
  readonly path: string;
  /** What was found, in a sentence without a full stop. */
  readonly message: string;
}

/** Takes a fault that was found. */
export type Tell = (fault: ExportFault) => void;

/** A line as the rules see it. */
export interface CheckedLine {
  /** From 1. */
  readonly place: number;
  /** Undefined when these bytes are no line of this export's key. */
  readonly line: { readonly number: number; readonly before: string; readonly hash: string } | undefined;
  /** False for what stands behind the last line break. */
  readonly isWhole: boolean;
}

/** What is wrong with the order of lines, in the order of the file. After each fault the rule goes on behind the line at fault. */
export function lineFaults(lines: readonly CheckedLine[], start: ManifestHead, path: string): ExportFault[] {
  const numbers = new Set(lines.map(({ line }) => line?.number));
  const seen = new Set<string>();
  const faults: ExportFault[] = [];
  let before = start;
  for (const [at, checked] of lines.entries()) {
    const next = lines[at + 1]?.line;
    const found = faultOf(checked, { before, next, seen, numbers });
    if (found) faults.push({ at: 'line', path, ...found });
    if (!checked.line) {
      // A changed line keeps its place: what follows it is whole.
      const isInserted = found?.fault === 'inserted';
      if (!isInserted && next) before = { number: next.number - 1, hash: next.before };
      continue;
    }
    seen.add(checked.line.hash);
    if (found?.fault !== 'repeated') before = checked.line;
  }
  return faults;
}

interface Around {
  readonly before: ManifestHead;
  readonly next: CheckedLine['line'];
  readonly seen: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number | undefined>;
}

function faultOf(
  { place, line, isWhole }: CheckedLine,
  { before, next, seen, numbers }: Around,
): Pick<ExportFault, 'fault' | 'number' | 'message'> | undefined {
  const wanted = before.number + 1;
  if (!isWhole)
    return {
      fault: 'unfinished',
      number: wanted,
      message: `bytes behind the last line break are no line: a crash may leave them, and the next start of the local workspace then finishes it`,
    };
  if (!line) {
    if (next && next.number === wanted && next.before === before.hash)
      return { fault: 'inserted', number: wanted, message: `line ${place} of the file was never written by the workspace` };
    return { fault: 'changed', number: wanted, message: `line ${place} of the file is not as it was written` };
  }
  const { number, before: after } = line;
  if (number === wanted && after === before.hash) return undefined;
  if (seen.has(line.hash)) return { fault: 'repeated', number, message: `line ${number} stands here a second time` };
  if (number <= wanted)
    return {
      fault: number < wanted ? 'reordered' : 'other-history',
      number,
      message:
        number < wanted
          ? `line ${number} stands behind line ${before.number}`
          : `line ${number} was written after another line ${number - 1}: two exports were mixed`,
    };
  if (numbers.has(wanted)) return { fault: 'reordered', number, message: `line ${number} stands where line ${wanted} belongs, which stands elsewhere` };
  return { fault: 'removed', number: wanted, message: number - 1 === wanted ? `line ${wanted} is gone` : `lines ${wanted} to ${number - 1} are gone` };
}

/** What is wrong with the end, by a head that was noted beside the manifest or elsewhere. */
export function headFault(noted: ManifestHead, lines: ReadonlyMap<number, string>, path: string): ExportFault | undefined {
  if (noted.number === 0 || lines.get(noted.number) === noted.hash) return undefined;
  const last = [...lines.keys()].reduce((most, number) => Math.max(most, number), 0);
  if (noted.number > last) {
    return {
      at: 'head',
      fault: 'cut',
      number: last + 1,
      path,
      message: `the manifest ends with line ${last}, and line ${noted.number} was written (${formatHead(noted)})`,
    };
  }
  return {
    at: 'head',
    fault: 'other-history',
    number: noted.number,
    path,
    message: `line ${noted.number} is not the one that was noted (${formatHead(noted)})`,
  };
}
