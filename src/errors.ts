/** A dotted name for machines: `relay.<area>.<what>`. Codes that reach a sender have a row in `intake/error-replies.ts`. */
export type ErrorCode = `relay.${string}`;

/** Something we did not expect, or a refusal on its way to the edge. The message says what was wrong, the value found and what to do; it never holds a secret. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: ErrorCode;
  /** Seconds after which to come back, when this very refusal has its own; else the table of replies says. */
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterS?: number }) {
    super(message, options);
    this.code = code;
    this.retryAfterS = options?.retryAfterS;
  }
}

// Causes may form a circle.
const MAX_CAUSES = 8;

/** The text of anything thrown, with its causes (eight at most), on one line. */
export function messageOf(thrown: unknown): string {
  return textOf(thrown, MAX_CAUSES).replace(/\s*[\r\n]\s*/g, ' ');
}

function textOf(thrown: unknown, causes: number): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const nested = thrown instanceof AggregateError && causes > 0 ? thrown.errors.map((each) => textOf(each, causes - 1)).join('; ') : '';
  const own = thrown.message || nested || thrown.name;
  return thrown.cause === undefined || causes === 0 ? own : `${own}: ${textOf(thrown.cause, causes - 1)}`;
}
