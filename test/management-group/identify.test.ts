import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identifyFingerprint } from '../../src/management-group/identify.ts';
import { BANK, certificate, createGroupRig, enrolled, newAgentId, START } from './rig.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('identify', () => {
  const cases = [
    { what: 'its first minute', at: START, reason: undefined },
    { what: 'a clock 15 minutes behind', at: START - 15 * MINUTE_MS, reason: undefined },
    { what: 'a clock 16 minutes behind', at: START - 16 * MINUTE_MS, reason: 'certificate-expired' },
    { what: 'its last moment', at: START + 90 * DAY_MS, reason: undefined },
    { what: 'the moment after', at: START + 90 * DAY_MS + 1, reason: 'certificate-expired' },
  ] as const;
  for (const { what, at, reason } of cases) {
    it(`${reason === undefined ? 'knows' : 'refuses'} an agent in ${what} of its certificate`, async () => {
      await using rig = await createGroupRig();
      rig.group.registry.enrol(enrolled(newAgentId()));
      const found = identifyFingerprint(rig.group.registry, certificate('a').fingerprint, { now: () => at, oldCertificateGraceMs: 0 });
      assert.equal(found.known ? undefined : found.reason, reason);
    });
  }

  const afterItsEnd = [
    { what: 'within the time that the operator allows', graceMs: 30 * DAY_MS, at: START + 120 * DAY_MS, reason: undefined },
    { what: 'after that time', graceMs: 30 * DAY_MS, at: START + 120 * DAY_MS + 1, reason: 'certificate-expired' },
    { what: 'when the operator allows none', graceMs: 0, at: START + 90 * DAY_MS + 1, reason: 'certificate-expired' },
  ] as const;
  for (const { what, graceMs, at, reason } of afterItsEnd) {
    it(`${reason === undefined ? 'knows' : 'refuses'} a certificate that has ended, for its renewal, ${what}`, async () => {
      await using rig = await createGroupRig();
      rig.group.registry.enrol(enrolled(newAgentId()));
      const settings = { now: () => at, oldCertificateGraceMs: 0, expiredGraceMs: graceMs };
      const found = identifyFingerprint(rig.group.registry, certificate('a').fingerprint, settings);
      assert.equal(found.known ? undefined : found.reason, reason);
      if (!found.known) assert.match(found.message, /ended on 2027-02-21 .*enrolment\.expiredCertificates says\. Renew it, or enrol this machine again/);
    });
  }

  it('accepts a replaced certificate until its grace is over', async () => {
    await using rig = await createGroupRig();
    const agentId = newAgentId();
    rig.group.registry.enrol(enrolled(agentId));
    rig.group.registry.addCertificate({ workspaceId: BANK, agentId }, certificate('b'));
    const reasonAt = (now: number): string | undefined => {
      const found = identifyFingerprint(rig.group.registry, certificate('a').fingerprint, { now: () => now, oldCertificateGraceMs: DAY_MS });
      return found.known ? undefined : found.reason;
    };
    assert.deepEqual([reasonAt(START + DAY_MS), reasonAt(START + DAY_MS + 1)], [undefined, 'certificate-replaced']);
  });
});
