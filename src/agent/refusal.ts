import { child, readXml } from '../oms-protocol/xml.ts';
import type { Answer } from './connection.ts';

const MAX_TEXT = 500;

/** Why the relay said no: one word and one sentence, as its answer's body names them. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
}

/** Reads an answer that is not 2xx: `<Reason>` and `<Message>` (§1.7), a JSON error, or the beginning of whatever text came. */
export function readRefusal(answer: Answer): Refusal {
  const [reason, message] = inXml(answer.text) ?? inJson(answer.text) ?? ['', answer.text];
  return { status: answer.status, reason: clean(reason) || `HTTP ${answer.status}`, message: clean(message) || 'The answer gives no reason.' };
}

function inXml(text: string): [string, string] | undefined {
  const root = text.trimStart().startsWith('<?xml') ? readXml(text.trimStart()) : undefined;
  return root && [child(root, 'Reason')?.text ?? '', child(root, 'Message')?.text ?? ''];
}

function inJson(text: string): [string, string] | undefined {
  try {
    const value = JSON.parse(text) as { error?: unknown; code?: unknown; message?: unknown } | null;
    const { code, message } = typeof value?.error === 'object' && value.error !== null ? (value.error as { code?: unknown; message?: unknown }) : (value ?? {});
    return [String(code ?? value?.error ?? ''), String(message ?? '')];
  } catch {
    return undefined;
  }
}

// What a stranger sent goes to a terminal and a log: one line, no control characters.
function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}
