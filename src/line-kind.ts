/** What of a line of the log says what has happened, and not to which batch or when. */
export interface LineTraits {
  readonly level: string;
  readonly component?: unknown;
  readonly message: string;
  /** Everything else on the line. */
  readonly facts: Readonly<Record<string, unknown>>;
}

// Facts with few values. The workspace is one of them: that one of them is down must not hide that another one is.
const TELLING = ['workspaceId', 'reason', 'kind', 'solution', 'stream'] as const;

const LONGEST_PART = 160;

/** Lines of one kind are alike: they differ in ids, numbers, times and what is quoted. A code of ours says what happened better than any text. */
export function kindOfLine({ level, component, message, facts }: LineTraits): string {
  const { code, err } = facts;
  const isOurs = typeof code === 'string' && code.startsWith('relay.') && code !== 'relay.internal';
  const what = isOurs ? [code, facts['workspaceId']] : [code, classOf(message), ...TELLING.map((name) => classOf(facts[name], name))];
  return [level, component, ...what, classOfError(err)].map((part) => part ?? '').join('\n');
}

function classOf(value: unknown, name?: string): unknown {
  return typeof value === 'string' && name !== 'workspaceId' ? withoutParticulars(value) : value;
}

function classOfError(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? `${error.name} ${withoutParticulars(error.message)}` : String(code);
}

// Linear in the length: a text may hold what a stranger sent.
function withoutParticulars(text: string): string {
  return text
    .slice(0, LONGEST_PART)
    .replace(/"[^"]*"?/g, '"')
    .replace(/[\w-]+/g, (word) => (/\d/.test(word) ? '#' : word));
}
