/** Bytes that many may hold together. It is asked before more is read; what is there already is taken, up to twice as much. */
export interface ByteBudget {
  take(bytes: number): void;
  /** Calls those who listen, when there was nothing left and now is. */
  giveBack(bytes: number): void;
  isSpent(): boolean;
  /** Whether not even what is there already may be held. */
  isExhausted(): boolean;
  /** Bytes that are held now. */
  taken(): number;
  /** The function returned ends the listening. */
  onFree(listener: () => void): () => void;
}

export function createByteBudget(limitBytes: number): ByteBudget {
  let taken = 0;
  const listeners = new Set<() => void>();
  const isSpent = (): boolean => taken >= limitBytes;
  return {
    take(bytes) {
      taken += bytes;
    },
    giveBack(bytes) {
      const wasSpent = isSpent();
      taken -= bytes;
      if (!wasSpent || isSpent()) return;
      for (const listener of [...listeners]) {
        if (isSpent()) break;
        listener();
      }
    },
    isSpent,
    isExhausted: () => taken >= 2 * limitBytes,
    taken: () => taken,
    onFree(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
