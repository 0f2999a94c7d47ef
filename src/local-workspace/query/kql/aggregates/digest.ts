import type { Budget } from '../budget.ts';

/** Keeps enough of many numbers to tell their percentiles (a merging t-digest): exact up to 512, then within about half a percent of rank. */
export interface Digest {
  add(value: number): void;
  /** The value below or at which `percent` (0 to 100) of the numbers lie; NaN without numbers. */
  percentile(percent: number): number;
}

const BUFFER = 512;
const CENTROIDS = 200;

export function createDigest(budget: Budget): Digest {
  let capacity = 8;
  let buffer = new Float64Array(capacity);
  let buffered = 0;
  let means: number[] = [];
  let weights: number[] = [];

  const grow = (): void => {
    capacity = Math.min(capacity * 4, BUFFER);
    budget.spend(capacity * 8);
    const next = new Float64Array(capacity);
    next.set(buffer);
    buffer = next;
  };
  const compress = (): void => {
    if (means.length === 0) budget.spend(CENTROIDS * 32);
    [means, weights] = merged(means, weights, buffer.subarray(0, buffered).sort());
    buffered = 0;
  };

  return {
    add(value) {
      if (buffered === capacity) {
        if (capacity < BUFFER) grow();
        else compress();
      }
      buffer[buffered] = value;
      buffered += 1;
    },
    percentile(percent) {
      if (means.length === 0) return nearestRank(buffer.subarray(0, buffered).sort(), percent);
      if (buffered > 0) compress();
      return interpolated(means, weights, percent / 100);
    },
  };
}

// Kusto's percentile is a value of the data: the one at that rank.
function nearestRank(sorted: Float64Array, percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

// Neighbours become one while the scale function (k1: arcsine) lets them: small weights at the ends, large in the middle.
function merged(means: readonly number[], weights: readonly number[], values: Float64Array): [number[], number[]] {
  const [allMeans, allWeights] = inOrder(means, weights, values);
  const total = allWeights.reduce((sum, weight) => sum + weight, 0);
  const [newMeans, newWeights]: [number[], number[]] = [[], []];
  let before = 0;
  let limit = total * limitAfter(0);
  for (const [place, mean] of allMeans.entries()) {
    const weight = allWeights[place] as number;
    const last = newMeans.length - 1;
    const open = newWeights[last];
    if (open !== undefined && before + open + weight <= limit) {
      newMeans[last] = (newMeans[last] as number) + ((mean - (newMeans[last] as number)) * weight) / (open + weight);
      newWeights[last] = open + weight;
    } else {
      before += open ?? 0;
      limit = total * limitAfter(before / total);
      newMeans.push(mean);
      newWeights.push(weight);
    }
  }
  return [newMeans, newWeights];
}

function inOrder(means: readonly number[], weights: readonly number[], values: Float64Array): [number[], number[]] {
  const [allMeans, allWeights]: [number[], number[]] = [[], []];
  let centroid = 0;
  for (const value of values) {
    for (; centroid < means.length && (means[centroid] as number) <= value; centroid += 1) push(centroid);
    allMeans.push(value);
    allWeights.push(1);
  }
  for (; centroid < means.length; centroid += 1) push(centroid);
  return [allMeans, allWeights];

  function push(place: number): void {
    allMeans.push(means[place] as number);
    allWeights.push(weights[place] as number);
  }
}

// How far a centroid that begins at this share of the numbers may reach.
function limitAfter(share: number): number {
  const angle = Math.asin(2 * Math.min(share, 1) - 1) + (2 * Math.PI) / CENTROIDS;
  return angle >= Math.PI / 2 ? 1 : (Math.sin(angle) + 1) / 2;
}

function interpolated(means: readonly number[], weights: readonly number[], share: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const target = share * total;
  let before = 0;
  for (const [place, mean] of means.entries()) {
    const weight = weights[place] as number;
    const middle = before + weight / 2;
    const next = means[place + 1];
    if (next === undefined || target <= middle) return mean;
    const nextMiddle = before + weight + (weights[place + 1] as number) / 2;
    if (target < nextMiddle) return mean + ((next - mean) * (target - middle)) / (nextMiddle - middle);
    before += weight;
  }
  return Number.NaN;
}
