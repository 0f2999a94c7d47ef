import { KINDS, type Kind } from '../batch/kind.ts';

/** A count of batches and of their bytes as they came over the wire. */
export interface Amount {
  readonly batches: number;
  readonly bytes: number;
}

/**
 * Where the data of one workspace and kind went, since this process began:
 * `recovered + received = delivered + cached + deadLettered + dropped`, exactly.
 *
 * It counts batches, so one that was refused and split is `delivered` when any of its records was, `deadLettered` when none was. A dead letter that
 * is sent again is received once more; one that is dropped or discarded stays `deadLettered` here and is told of by the loss ledger.
 */
export interface Balance {
  /** Found in the cache at the start. */
  readonly recovered: Amount;
  /** Acknowledged to an agent. */
  readonly received: Amount;
  readonly delivered: Amount;
  /** Waiting now; counted from what is stored, not from the other figures. */
  readonly cached: Amount;
  readonly deadLettered: Amount;
  readonly dropped: Amount;
}

export type BalanceEntry = Exclude<keyof Balance, 'cached'>;

/** Counts for one workspace. */
export interface Ledger {
  add(entry: BalanceEntry, kind: Kind, batches: number, bytes: number): void;
  /** The balance of each kind that has any figure. `cachedOf` counts what is stored. */
  balances(cachedOf: (kind: Kind) => Amount): (Balance & { readonly kind: Kind })[];
}

const ENTRIES: readonly BalanceEntry[] = ['recovered', 'received', 'delivered', 'deadLettered', 'dropped'];
const NOTHING: Amount = { batches: 0, bytes: 0 };

/** The balance of a kind that nothing has come of. */
export const EMPTY_BALANCE: Balance = { recovered: NOTHING, received: NOTHING, delivered: NOTHING, cached: NOTHING, deadLettered: NOTHING, dropped: NOTHING };

export function createLedger(): Ledger {
  const amounts = new Map<string, Amount>();
  const amount = (entry: BalanceEntry, kind: Kind): Amount => amounts.get(`${entry} ${kind}`) ?? NOTHING;

  return {
    add(entry, kind, batches, bytes) {
      const before = amount(entry, kind);
      amounts.set(`${entry} ${kind}`, { batches: before.batches + batches, bytes: before.bytes + bytes });
    },
    balances: (cachedOf) =>
      KINDS.filter((kind) => ENTRIES.some((entry) => amount(entry, kind).batches > 0)).map((kind) => ({
        kind,
        recovered: amount('recovered', kind),
        received: amount('received', kind),
        delivered: amount('delivered', kind),
        cached: cachedOf(kind),
        deadLettered: amount('deadLettered', kind),
        dropped: amount('dropped', kind),
      })),
  };
}

/** What is missing from a balance, in batches: 0 when every batch that came in is accounted for. */
export function unaccounted(balance: Balance): number {
  const came = balance.recovered.batches + balance.received.batches;
  return came - balance.delivered.batches - balance.cached.batches - balance.deadLettered.batches - balance.dropped.batches;
}
