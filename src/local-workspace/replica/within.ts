import type { Clock } from '../../clock.ts';

/** What `work` gives, when it comes within `ms` milliseconds; rejects with `late` else. The work itself goes on. */
export function within<T>(clock: Pick<Clock, 'after'>, ms: number, work: Promise<T>, late: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new Error(late)));
    work.then(resolve, reject).finally(cancel);
  });
}
