import { type Finding, worstOf } from './finding.ts';

const MARKS = { good: 'ok', attention: 'ATTENTION', wrong: 'WRONG', skipped: '-' } as const;

/** The findings for a person: a paragraph for each subject, and under each thing that is not good what to do. */
export function reportOf(findings: readonly Finding[]): string {
  const subjects = [...new Set(findings.map(({ subject }) => subject))];
  const paragraphs = subjects.map((subject) => [subject, ...findings.filter((finding) => finding.subject === subject).map(lineOf)].join('\n'));
  return [...paragraphs, summaryOf(findings)].join('\n\n');
}

function lineOf(finding: Finding): string {
  const { state, step, what, tookMs } = finding;
  const line = `  ${MARKS[state].padEnd(9)} ${step}: ${plain(what)} (${tookMs} ms)`;
  return 'remedy' in finding ? `${line}\n            → ${plain(finding.remedy)}` : line;
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  if (worstOf(findings) === 'good') return 'All is well.';
  return `${count('wrong')} wrong, ${count('attention')} to attend to.`;
}

// What a server says of itself must not reach the terminal as a command.
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
