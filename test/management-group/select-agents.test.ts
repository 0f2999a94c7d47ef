import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selectAgents } from '../../src/management-group/select-agents.ts';
import { BANK, certificate, createGroupRig, enrolled, newAgentId, PLANT, START } from './rig.ts';

const MINUTE_MS = 60_000;

describe('selectAgents', () => {
  const cases = [
    { filter: {}, hosts: ['db01', 'till01', 'web01'] },
    { filter: { state: 'approved' }, hosts: ['db01'] },
    { filter: { workspace: PLANT }, hosts: ['till01'] },
    { filter: { workspace: '11111111' }, hosts: ['db01', 'web01'] },
    { filter: { name: 'web*' }, hosts: ['web01'] },
    { filter: { name: 'Kiosk' }, hosts: ['till01'] },
    { filter: { group: 'servers' }, hosts: ['db01', 'web01'] },
    { filter: { group: 'nobody' }, hosts: [] },
    { filter: { silentForMs: 10 * MINUTE_MS }, hosts: ['till01', 'web01'] },
    { filter: { silentForMs: 10 * MINUTE_MS, state: 'pending', name: 'w*', workspace: BANK }, hosts: ['web01'] },
  ] as const;
  for (const { filter, hosts } of cases) {
    it(`with ${JSON.stringify(filter)} gives ${hosts.join(', ') || 'none'}`, async () => {
      await using rig = await createGroupRig();
      const { registry } = rig.group;
      registry.enrol(enrolled(newAgentId(), { hostName: 'web01', certificate: certificate('a') }));
      const till = enrolled(newAgentId(), { hostName: 'till01', workspaceId: PLANT, certificate: certificate('b') });
      registry.enrol(till);
      registry.rename(till, 'kiosk');
      rig.clock.advance(10 * MINUTE_MS);
      registry.enrol(enrolled(newAgentId(), { hostName: 'db01', state: 'approved', certificate: certificate('c') }));
      const groups = [{ name: 'servers', match: '*0?', workspace: BANK }];
      const found = selectAgents(registry.list(), filter, groups, START + 10 * MINUTE_MS);
      assert.deepEqual(
        found.map(({ hostName }) => hostName),
        hosts,
      );
    });
  }
});
