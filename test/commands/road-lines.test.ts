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
      'data by expressroute: 10.2.0.2 → 20.1.2.3 (public), verified 2026-11-23 06:00:00; dce.example.org is 20.1.2.3 (by configuration)',
      'sign-in by public: not taken yet',
    ]);
  });

  it('shows the chain of names', () => {
    assert.deepEqual(roadLines({ data: POISONED }), [
      'data by private-link: not taken yet; dce.example.org is 20.1.2.3 over dce.privatelink.example.org (by name server 10.1.0.4)',
    ]);
  });
});
