import { errorReplies } from './error-replies.ts';

/** Every error that an agent can be answered, as a Markdown table: code, status, Retry-After, what it means and what to do. */
export function errorTable(): string {
  const heading = ['code', 'status', 'Retry-After', 'meaning'];
  const rows = errorReplies().map(([code, { status, retryAfterS, meaning }]) => [
    `\`${code}\``,
    String(status),
    retryAfterS === undefined ? '' : `${retryAfterS} s`,
    meaning,
  ]);
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
