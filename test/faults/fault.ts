/** One entry of the fault suite: something that really breaks, and what must still hold afterwards. */
export interface Fault {
  readonly name: string;
  /** Whether `npm test` runs it too, with fewer repetitions. */
  readonly quick: boolean;
  /** Mounts file systems: runs in a mount namespace of its own. */
  readonly mounts?: boolean;
  /** Throws when a promise is broken. */
  run(trial: Trial): Promise<Figures>;
}

export interface Trial {
  /** Fewer repetitions. */
  readonly quick: boolean;
  /** How long the soak goes on, in milliseconds. */
  readonly soakMs: number;
  readonly random: () => number;
}

/** What the oracle counted, in batches. */
export interface Figures {
  /** How often the fault was there. */
  readonly injected: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly duplicated: number;
  readonly dropped: number;
  readonly deadLettered: number;
  readonly lost: number;
}

export const NO_FIGURES: Figures = { injected: 0, acknowledged: 0, delivered: 0, duplicated: 0, dropped: 0, deadLettered: 0, lost: 0 };

/** The sums. */
export function sumOf(figures: readonly Figures[]): Figures {
  return figures.reduce(
    (sum, one) => ({
      injected: sum.injected + one.injected,
      acknowledged: sum.acknowledged + one.acknowledged,
      delivered: sum.delivered + one.delivered,
      duplicated: sum.duplicated + one.duplicated,
      dropped: sum.dropped + one.dropped,
      deadLettered: sum.deadLettered + one.deadLettered,
      lost: sum.lost + one.lost,
    }),
    NO_FIGURES,
  );
}
