import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fingerprint } from '../../src/authority/x509.ts';
import type { Agent, AgentCertificate } from '../../src/management-group/agent.ts';
import { agentFigures } from '../../src/management-group/agent-figures.ts';
import { BANK, newAgentId, PLANT, START } from './rig.ts';

const MINUTE_MS = 60_000;

function agent(hostName: string, more: Partial<Agent> = {}): Agent {
  return {
    workspaceId: BANK,
    agentId: newAgentId(),
    hostName,
    displayName: undefined,
    operatingSystem: '',
    version: '',
    state: 'approved',
    stateReason: '',
    stateSince: START,
    enrolmentKeyId: 'k',
    firstSeenAt: START,
    lastSeenAt: START,
    solutions: {},
    receivedBatches: 0,
    receivedBytes: 0,
    movedFrom: undefined,
    ...more,
  };
}

function certificateOf({ workspaceId, agentId }: Agent, notAfter: number, replacedAt?: number): AgentCertificate {
  return { workspaceId, agentId, fingerprint: 'f' as Fingerprint, notBefore: START, notAfter, addedAt: START, replacedAt };
}

const SETTINGS = { now: START + 100 * MINUTE_MS, startedAt: START, silentAfterMs: 15 * MINUTE_MS, top: 2, certificatesOf: () => [] };

describe('agentFigures', () => {
  it('counts approved agents as silent that nothing was heard of for long, by workspace', () => {
    const now = SETTINGS.now;
    const figures = agentFigures(
      [
        agent('quiet', { lastSeenAt: now - 16 * MINUTE_MS }),
        agent('alive', { lastSeenAt: now - 14 * MINUTE_MS }),
        agent('suspended', { lastSeenAt: START, state: 'suspended' }),
        agent('elsewhere', { lastSeenAt: START, workspaceId: PLANT }),
      ],
      SETTINGS,
    );
    assert.equal(figures.get(BANK)?.silent, 1);
    assert.equal(figures.get(PLANT)?.silent, 1);
  });

  it('gives every agent its time after a start: nobody could be heard before', () => {
    const agents = [agent('a', { lastSeenAt: START - 1_000 * MINUTE_MS })];
    assert.equal(agentFigures(agents, { ...SETTINGS, now: START + 15 * MINUTE_MS }).get(BANK)?.silent, 0);
    assert.equal(agentFigures(agents, { ...SETTINGS, now: START + 15 * MINUTE_MS + 1 }).get(BANK)?.silent, 1);
  });

  it('counts those without data in each step that they are beyond', () => {
    const now = SETTINGS.now;
    const agents = [agent('a', { solutions: { x: now - 70 * MINUTE_MS, y: now - 6 * MINUTE_MS } }), agent('b', { solutions: { x: now - 70 * MINUTE_MS } })];
    assert.deepEqual(agentFigures(agents, SETTINGS).get(BANK)?.lagging, { '5m': 2, '15m': 1, '1h': 1, '6h': 0, '1d': 0 });
  });

  it('names no more agents than it may, the longest silent first', () => {
    const agents = ['c', 'a', 'b'].map((name, at) => agent(name, { lastSeenAt: START + at }));
    assert.deepEqual(
      agentFigures(agents, SETTINGS)
        .get(BANK)
        ?.longestSilent.map(({ hostName }) => hostName),
      ['c', 'a'],
    );
  });

  it('tells when the first certificate ends among those in use by agents that are heard of', () => {
    const now = SETTINGS.now;
    const [heard, gone] = [agent('heard', { lastSeenAt: now }), agent('gone')];
    const certificates = new Map([
      [heard.hostName, [certificateOf(heard, now + 5, now), certificateOf(heard, now + 50)]],
      [gone.hostName, [certificateOf(gone, now + 1)]],
    ]);
    const settings = { ...SETTINGS, certificatesOf: ({ hostName }: Agent) => certificates.get(hostName) ?? [] };
    assert.equal(agentFigures([heard, gone], settings).get(BANK)?.certificateEndsAt, now + 50);
    assert.equal(agentFigures([gone], settings).get(BANK)?.certificateEndsAt, undefined);
  });
});
