import { hash, timingSafeEqual } from 'node:crypto';

/** Whether two texts are the same; the time it takes tells nothing of either, nor of their lengths. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}
