import { type Threshold, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';

/** Green: nothing to do. Orange: look today. Red: act now. */
export type Steps = readonly Threshold[];

/** One colour whatever the value: a figure that is neither good nor bad. */
export const NEUTRAL: Steps = [{ value: null, color: 'blue' }];

/** Anything above 0 wants somebody to act. */
export const NONE_ALLOWED: Steps = [
  { value: null, color: 'green' },
  { value: 1, color: 'red' },
];

/** Anything above 0 wants somebody to look. */
export const NONE_EXPECTED: Steps = [
  { value: null, color: 'green' },
  { value: 1, color: 'orange' },
];

/** 1 is well, 0 is not; for figures that answer a question by yes or no. */
export const YES_EXPECTED: Steps = [
  { value: null, color: 'red' },
  { value: 1, color: 'green' },
];

/** The more, the worse: orange and red begin at these values. */
export function rising(orange: number, red: number): Steps {
  return [
    { value: null, color: 'green' },
    { value: orange, color: 'orange' },
    { value: red, color: 'red' },
  ];
}

/** The less, the worse: below `red` it is red, below `orange` orange. */
export function falling(orange: number, red: number): Steps {
  return [
    { value: null, color: 'red' },
    { value: red, color: 'orange' },
    { value: orange, color: 'green' },
  ];
}

/** The steps as Grafana wants them, by value and not by percentage. */
export function thresholds(steps: Steps): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps]);
}
