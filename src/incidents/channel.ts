import type { Notice } from './notice.ts';

/** A way to tell people. */
export interface Channel {
  readonly name: 'webhook' | 'mail';
  /** Tries once, within a bounded time, or until the signal is aborted. Never rejects. */
  send(notice: Notice, signal: AbortSignal): Promise<SendOutcome>;
}

/** How a try ended. `reason` is for the time line: what was wrong and what to do, without a secret and without an address's path. */
export type SendOutcome =
  /** `remark`: who of several did not get it. */
  | { readonly outcome: 'sent'; readonly remark?: string | undefined }
  | {
      readonly outcome: 'failed';
      readonly reason: string;
      /** Whether other notices would fail as well: then all wait. */
      readonly concerns: 'channel' | 'notice';
    };
