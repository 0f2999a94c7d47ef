import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BannerFacts, bannerText } from '../../src/commands/setup-banner.ts';
import type { Status } from '../../src/control/api.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const STATUS = {
  version: '1.2.3',
  startedAt: NOW - 5_400_000,
  intakePort: 443,
  rootFingerprint: 'AB:CD',
  certificates: [],
  agents: { approved: 12, pending: 2, suspended: 0 },
  agentsSilent: 0,
  workspaceNames: {},
  roads: {},
  signIns: {},
  cache: {
    ready: { ok: true },
    workspaces: [],
    usedBytes: 10,
    limitBytes: 100,
    ground: {
      disk: { freeBytes: 50, sizeBytes: 100 },
      redis: { aofOk: true, saveOk: true, memoryUsedBytes: 1, memoryLimitBytes: 100 },
      isRedisConnected: true,
      doesRedisAnswer: true,
    },
  },
} as unknown as Status;
const FACTS: BannerFacts = { hostName: 'relay-01', addresses: ['10.1.0.5'], status: STATUS, problem: undefined, isSetUp: true, now: NOW };

describe('the banner', () => {
  it('of a relay that is well: how it is, what waits for somebody, where agents go and what they trust', () => {
    assert.equal(
      bannerText(FACTS),
      `Relay 1.2.3 on relay-01: ready, running for 1h 30m.
LOOK  2 agents wait for approval → relay agents list --state pending
agents        10.1.0.5, port 443; 12 approved, 2 pending
root SHA-256  AB:CD
More: sudo relay status · sudo relay top · sudo relay doctor`,
    );
  });

  it('of a relay that refuses agents begins with that, whatever an earlier start left', () => {
    const status = { ...STATUS, cache: { ...STATUS.cache, ready: { ok: false, reasons: ['Redis cannot be reached'] } } } as Status;
    assert.match(
      bannerText({ ...FACTS, status, problem: 'of yesterday' }),
      /: NOT READY, .*\nACT {3}NOT READY, agents are refused: Redis cannot be reached → relay doctor\n/,
    );
  });

  const away: readonly (readonly [what: string, facts: Partial<BannerFacts>, text: RegExp])[] = [
    [
      'why the relay did not start, when that is known',
      { problem: 'The relay did not start: a disk is full.\n' },
      /^The relay did not start: a disk is full\.$/,
    ],
    ['that the relay does not answer, when nobody knows why', {}, /^THE RELAY DOES NOT ANSWER/],
    ['that the machine is not set up yet', { isSetUp: false }, /sudo relay setup$/],
  ];
  for (const [what, facts, text] of away) it(`says ${what}`, () => assert.match(bannerText({ ...FACTS, status: undefined, ...facts }), text));
});
