import { RelayError } from '../../../errors.ts';

/** Resources and scopes of one request. */
const MAX_GROUPS = 65_536;
/** Fields of one request outside its records, and the records themselves. */
const MAX_PARTS = 1_000_000;

/** Counts what is found in one request, so that none keeps the processor for long. Throws `relay.intake.too-large`. */
export interface Findings {
  part(): void;
  /** A resource or a scope. */
  group(): void;
}

export function createFindings(): Findings {
  let parts = 0;
  let groups = 0;
  return {
    part() {
      parts += 1;
      if (parts > MAX_PARTS) throw tooMany(`${MAX_PARTS} log records, or as many other fields`);
    },
    group() {
      groups += 1;
      if (groups > MAX_GROUPS) throw tooMany(`${MAX_GROUPS} resources and scopes`);
    },
  };
}

function tooMany(what: string): RelayError {
  return new RelayError('relay.intake.too-large', `The request has more than ${what}. Send fewer at a time.`);
}
