/** What the benchmark and its load generator, a process of its own, say to each other. */
import type { Identity } from '../../src/authority/agent-identity.ts';
import type { Spread } from './percentile.ts';

/** The documented shape of a gateway's load: every agent sends one body every so often, all of them evenly spread. */
export interface Shape {
  readonly agents: number;
  /** Bytes of a body, compressed. */
  readonly bodyBytes: number;
  readonly everyMs: number;
  /** Sent before anything is measured. */
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Bytes that a shape offers in a second. */
export function offeredBytesPerS({ agents, bodyBytes, everyMs }: Shape): number {
  return (agents * bodyBytes * 1_000) / everyMs;
}

/** The generator's orders, read from a file: it holds private keys. */
export interface LoadPlan {
  readonly shape: Shape;
  readonly port: number;
  /** PEM of the authority whose server this must be. */
  readonly trust: string;
  /** One for each agent. */
  readonly identities: readonly Identity[];
}

/** What the generator tells, in this order. */
export type LoadEvent = { readonly event: 'connected' | 'measuring' | 'measured' } | { readonly event: 'done'; readonly result: LoadResult };

export interface LoadResult {
  /** Batches answered with 200, also those of the warm-up. */
  readonly acknowledged: number;
  /** The ids the server gave them; empty when it gives none. */
  readonly batchIds: readonly string[];
  /** What went wrong, at any time, and how often. */
  readonly errors: Readonly<Record<string, number>>;
  /** Requests that were due while it was measured, and were answered. */
  readonly requests: number;
  /** Bytes of bodies acknowledged while it was measured. */
  readonly bytes: number;
  /** From the moment a request was due to its answer. */
  readonly acknowledgement: Spread;
  /** How late the generator itself began to send. */
  readonly lateness: Spread;
}
