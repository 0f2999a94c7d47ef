import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { countRefusedAgents } from '../../src/audit/refused-agents.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { eventNumber } from './rig.ts';

const failure = (from: string, detail = 'bad key'): AuditEvent => ({
  actor: { kind: 'agent', name: 'unknown' },
  action: 'sign-in.fail',
  on: 'EST',
  from,
  result: 'refused',
  detail,
});

describe('what agents are refused', () => {
  it('is entered once a minute for an address and reason, with the count of the rest', () => {
    const entered: AuditEvent[] = [];
    const clock = createManualClock();
    const enter = countRefusedAgents((event) => void entered.push(event), clock.now);
    for (let times = 0; times < 500; times += 1) enter(failure('192.0.2.1'));
    enter(failure('192.0.2.1', 'old clock'));
    assert.deepEqual(entered, [failure('192.0.2.1'), failure('192.0.2.1', 'old clock')]);
    clock.advance(60_000);
    enter(failure('192.0.2.2'));
    assert.deepEqual(entered.slice(2), [failure('192.0.2.1', 'bad key; 499 more in the minute after the entry before'), failure('192.0.2.2')]);
  });

  it('fills the log from no number of addresses', () => {
    const entered: AuditEvent[] = [];
    const clock = createManualClock();
    const enter = countRefusedAgents((event) => void entered.push(event), clock.now);
    for (let address = 0; address < 10_000; address += 1) enter(failure(`2001:db8::${address.toString(16)}`));
    assert.equal(entered.length, 101);
    clock.advance(60_000);
    enter(failure('192.0.2.1'));
    assert.match(entered.at(-2)?.detail ?? '', /9899 more/);
    assert.equal(entered.at(-2)?.from, 'other addresses');
  });

  it('never holds back what operators do, or what agents achieve', () => {
    const entered: AuditEvent[] = [];
    const enter = countRefusedAgents(
      (event) => void entered.push(event),
      () => 0,
    );
    for (const event of [eventNumber(1), { ...eventNumber(1), result: 'refused' as const }, { ...failure('192.0.2.1'), result: 'done' as const }]) {
      enter(event);
      enter(event);
    }
    assert.equal(entered.length, 6);
  });
});
