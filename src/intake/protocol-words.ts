import type { ErrorCode } from '../errors.ts';
import { replyFor } from './error-replies.ts';

/** How one protocol answers our refusals: its status and its word for each code that it has words of its own for. */
export type ProtocolWords = ReadonlyMap<ErrorCode, readonly [status: number, word: string]>;

/** A protocol's refusals as a Markdown table, by status: what it answers, and which of our codes that stands for. */
export function protocolTable(words: ProtocolWords): string {
  const rows = [...words].map(([code, [status, word]]) => ({ code, status, word }));
  rows.sort((a, b) => a.status - b.status || (a.word < b.word ? -1 : 1));
  const cells = rows.map(({ code, status, word }) => [String(status), `\`${word}\``, `\`${code}\``, replyFor(code).meaning]);
  const heading = ['status', 'word', 'code', 'meaning'];
  return [heading, heading.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
