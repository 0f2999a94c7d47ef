import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spedUpExpression, spedUpRules } from './sped-up-rules.ts';

describe('sped-up rules', () => {
  const cases: readonly (readonly [before: string, after: string])[] = [
    ['relay_upstream_outage_seconds > 960', 'relay_upstream_outage_seconds > 8'],
    ['rate(relay_x_total[5m] offset 2h) > 0.5', 'rate(relay_x_total[2500ms] offset 60000ms) > 0.5'],
    ['time() - process_start_time_seconds{job="relay"} < 86400', 'time() - process_start_time_seconds{job="relay"} < 720'],
    ['nodejs_eventloop_lag_p99_seconds - 0.5 > 0', 'nodejs_eventloop_lag_p99_seconds - 0.5 > 0'],
    ['predict_linear(relay_b_bytes[30m], 7200) > relay_limit_bytes', 'predict_linear(relay_b_bytes[15000ms], 60) > relay_limit_bytes'],
    ['histogram_quantile(0.99, rate(relay_a_seconds_bucket[1h30m])) > 2', 'histogram_quantile(0.99, rate(relay_a_seconds_bucket[45000ms])) > 2'],
    ['relay_a_seconds > 600 and relay_b == 1', 'relay_a_seconds > 5 and relay_b == 1'],
    ['relay_b_bytes < 536870912', 'relay_b_bytes < 536870912'],
  ];
  for (const [before, after] of cases) it(`turn ${before} into ${after}`, () => assert.equal(spedUpExpression(before, 120), after));

  it('have shorter waits', () => {
    const text = spedUpRules('groups: [{ name: g, rules: [{ alert: A, expr: "up == 0", for: 2m, labels: { severity: page } }] }]', 120);
    assert.match(text, /for: 1000ms/);
    assert.match(text, /severity: page/);
  });
});
