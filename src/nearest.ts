const MAX_CHARS = 80;

/** The known name that `name` was probably meant to be: at most a third of its letters differ, case aside. Undefined when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_CHARS) return undefined;
  const most = Math.max(1, Math.floor(name.length / 3));
  const similar = known.filter((candidate) => Math.abs(candidate.length - name.length) <= most);
  const ranked = similar.map((candidate) => ({ candidate, edits: editsBetween(name.toLowerCase(), candidate.toLowerCase()) }));
  return ranked.filter(({ edits }) => edits <= most).sort((a, b) => a.edits - b.edits)[0]?.candidate;
}

/** What to say of a name that is not known: the one probably meant, or all there are. */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `unknown ${what}; ${meant === undefined ? `there is ${known.join(', ')}` : `did you mean ${meant}?`}`;
}

// Levenshtein's distance, one row of the table at a time.
function editsBetween(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, a] of [...left].entries()) {
    const next = [i + 1];
    for (const [j, b] of [...right].entries()) {
      next.push(Math.min((row[j] ?? 0) + (a === b ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
