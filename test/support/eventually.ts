const POLL_MS = 10;

/** Waits until `condition` gives something that is not undefined or false, and returns it. Fails after `deadlineMs` with what was waited for. */
export async function eventually<T>(what: string, condition: () => T | Promise<T>, deadlineMs = 60_000): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
