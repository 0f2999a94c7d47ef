import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roadLines } from '../../src/commands/road-lines.ts';
import type { RoadState } from '../../src/workspace/road-state.ts';

const AT = Date.parse('2026-11-23T06:00:00Z');
const BY_CIRCUIT: RoadState = {
  kind: 'expressroute',
  resolved: { host: 'dce.example.org', addresses: ['20.1.2.3'], chain: [], by: 'configuration' },
  sourceAddress: '10.2.0.2',
  peerAddress: '20.1.2.3',
  peerIs: 'public',
  verifiedAt: AT,
};
const POISONED: RoadState = {
  kind: 'private-link',
  resolved: { host: 'dce.example.org', addresses: ['20.1.2.3'], chain: ['dce.privatelink.example.org'], by: 'name server 10.1.0.4' },
  refusal: { reason: 'not-private', message: 'dce.example.org leads to 20.1.2.3.', at: AT },
};

describe('roads in relay status', () => {
  it('says nothing of a workspace that has none', () => {
    assert.deepEqual(roadLines(undefined), []);
  });

  it('shows both ends, when they were verified, and what the name led to', () => {
    assert.deepEqual(roadLines({ data: BY_CIRCUIT, signIn: { kind: 'public' } }), [
      '\ndata by expressroute: 10.2.0.2 → 20.1.2.3 (public), verified 2026-11-23 06:00:00; dce.example.org is 20.1.2.3 (by configuration)',
      '\nsign-in by public: not taken yet',
    ]);
  });

  it('shows the chain of names, and that nothing is sent', () => {
    assert.deepEqual(roadLines({ data: POISONED }), [
      '\ndata by private-link: not taken yet; dce.example.org is 20.1.2.3 over dce.privatelink.example.org (by name server 10.1.0.4)',
      '\nNOTHING IS SENT by this path since 2026-11-23 06:00:00: dce.example.org leads to 20.1.2.3.',
    ]);
  });

  it('forgets a refusal once a connection was verified after it', () => {
    const { refusal } = POISONED;
    assert.equal(roadLines({ data: { ...BY_CIRCUIT, refusal, verifiedAt: AT + 1 } }).length, 1);
    assert.equal(roadLines({ data: { ...BY_CIRCUIT, refusal, verifiedAt: AT - 1 } }).length, 2);
  });
});
