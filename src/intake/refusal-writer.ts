import type { RouteOptionsApp } from '@hapi/hapi';
import type { ErrorCode } from '../errors.ts';

/** What a sender is told when it is refused, before its protocol has words for it. */
export interface RefusalFacts {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  /** Seconds. */
  readonly retryAfterS: number | undefined;
  /** The host that the sender asked for. */
  readonly host: string;
  /** The request's Content-Type, in lower case, without parameters. */
  readonly contentType: string;
}

/** A refusal in the words of one protocol. */
export interface WrittenRefusal {
  readonly status: number;
  readonly body: Buffer | string | object;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type RefusalWriter = (facts: RefusalFacts) => WrittenRefusal;

declare module '@hapi/hapi' {
  interface RouteOptionsApp {
    /** How refusals on this route are written; as the table of errors says unless set. */
    writeRefusal?: RefusalWriter;
  }
}

/** For a route's `app`. */
export function refusingBy(writeRefusal: RefusalWriter): RouteOptionsApp {
  return { writeRefusal };
}
