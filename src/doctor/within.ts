import { RelayError } from '../errors.ts';

/** What became of something that had a time limit. */
export type Outcome<T> = { readonly outcome: 'done'; readonly value: T } | Failed;
export type Failed = { readonly outcome: 'failed'; readonly code: string; readonly reason: string } | { readonly outcome: 'late'; readonly limitMs: number };

/** Waits for `action` for so long; the signal it gets is aborted when time is over. */
export async function within<T>(limitMs: number, action: (signal: AbortSignal) => Promise<T>): Promise<Outcome<T>> {
  const controller = new AbortController();
  const late = Promise.withResolvers<Failed>();
  const timer = setTimeout(() => {
    late.resolve({ outcome: 'late', limitMs });
    controller.abort();
  }, limitMs);
  const done = action(controller.signal).then((value): Outcome<T> => ({ outcome: 'done', value }), failedBy);
  try {
    return await Promise.race([done, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why it failed, in words. */
export function why(failed: Failed): string {
  return failed.outcome === 'late' ? `no answer within ${failed.limitMs / 1000} s` : `${failed.reason} (${failed.code})`;
}

function failedBy(thrown: unknown): Failed {
  // Our own words for an operator are the rule's; here the cause says more.
  if (thrown instanceof RelayError && thrown.cause !== undefined) return failedBy(thrown.cause);
  const { code, message } = thrown as Partial<NodeJS.ErrnoException>;
  const reasons = thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [];
  const first = reasons[0];
  if (first !== undefined) return failedBy(first);
  return { outcome: 'failed', code: code ?? 'unknown', reason: message || String(thrown) };
}
