import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { LOSS_REASONS, type Loss } from '../../src/cache/loss.ts';
import { eventOfAudit, eventOfLoss, eventOfRefusal } from '../../src/composition/reporting.ts';
import { errorReplies } from '../../src/intake/error-replies.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK } from '../management-group/rig.ts';

const LOSS: Loss = {
  workspaceId: BANK,
  kind: 'Performance',
  dataType: 'LINUX_PERF_BLOB',
  agentId: parseAgentId('aaaaaaaa-0000-4000-8000-000000000001'),
  reason: 'cache-full',
  batches: 12,
  bytes: 1,
  firstAt: 1,
  lastAt: 2,
};

describe('what the relay reports of itself', () => {
  it('is a loss by workspace and kind of data, counted in batches', () => {
    const { source, kind, subject, count, severity, detail } = eventOfLoss(LOSS);
    assert.deepEqual([source, kind, subject, count, severity], [`workspace ${BANK}`, 'data-lost', 'Performance', 12, 'error']);
    assert.match(detail, /the last for cache-full\. See: relay losses list$/);
  });

  it('is of little weight when an operator gave the data up', () => {
    const severities = Object.fromEntries(LOSS_REASONS.map((reason) => [reason, eventOfLoss({ ...LOSS, reason }).severity]));
    assert.deepEqual(severities, {
      'cache-full': 'error',
      'too-old': 'error',
      unreadable: 'error',
      'dead-letters-full': 'error',
      'no-room-for-copy': 'warn',
      purged: 'info',
      discarded: 'info',
    });
  });

  it('are refused certificates and tokens, and no other refusal of the intake', () => {
    const kinds = errorReplies().flatMap(([code]) => {
      const event = eventOfRefusal(code, 1);
      return event ? [[code, event.kind]] : [];
    });
    assert.deepEqual(kinds, [
      ['relay.agent.unknown-certificate', 'certificates-refused'],
      ['relay.agent.certificate-expired', 'certificates-refused'],
      ['relay.agent.certificate-replaced', 'certificates-refused'],
      ['relay.sender.bad-credentials', 'bad-tokens'],
      ['relay.sender.bad-token', 'bad-tokens'],
      ['relay.sender.bad-signature', 'bad-tokens'],
    ]);
  });

  it('are refused renewals, enrolments and sign-ins of the audit log, with the address', () => {
    const entry: AuditEvent = {
      actor: { kind: 'agent', name: 'unknown' },
      action: 'sign-in.fail',
      on: 'EST',
      from: '192.0.2.7',
      result: 'refused',
      detail: 'bad',
    };
    assert.deepEqual(eventOfAudit(entry), {
      source: 'relay',
      kind: 'bad-tokens',
      subject: 'enrolments and sign-ins',
      detail: 'Refused at EST, the last from 192.0.2.7 (bad).',
    });
    assert.equal(eventOfAudit({ ...entry, action: 'agent.renew' })?.kind, 'certificates-refused');
    assert.equal(eventOfAudit({ ...entry, action: 'agent.renew', result: 'done' }), undefined);
    assert.equal(eventOfAudit({ ...entry, action: 'cache.purge' }), undefined);
  });
});
