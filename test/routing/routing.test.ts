import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { SolutionSetting } from '../../src/check-in/agent-configuration.ts';
import { createLogger } from '../../src/logger.ts';
import type { Routing } from '../../src/routing/routing.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { agent, openTestRouting, SHUT, STRAIGHT, WEB } from './rig.ts';

const PERF = 'Performance counters';
const PERF_BATCH = { workspaceId: STRAIGHT, agentId: WEB.agentId, dataType: 'LINUX_PERF_BLOB', solution: 'LogManagement' };

function setting(routing: Routing, name: string, of = WEB): SolutionSetting | undefined {
  return routing.settingsOf(of).find((one) => one.name === name);
}

describe('routing', () => {
  it('tells an agent the solutions of its platform, and no direct route where there is no direct way', async () => {
    await using folder = await temporaryFolder();
    const routing = await openTestRouting(folder.path);
    const names = routing.settingsOf(WEB).map(({ name }) => name);
    assert.ok(names.includes('Syslog, custom logs') && !names.includes('IIS logs'), names.join());
    assert.ok(routing.settingsOf(agent('w', STRAIGHT, 'Windows Server 2022')).some(({ name }) => name === 'IIS logs'));
    assert.deepEqual(setting(routing, PERF), { name: PERF, isEnabled: true, everyMs: 60_000, route: 'direct' });
    assert.ok(routing.settingsOf(agent('db-1', SHUT)).every(({ route }) => route === 'relay'));
  });

  it('keeps an operator’s words over a restart, before the configuration, until they are taken back', async () => {
    await using folder = await temporaryFolder();
    const configured = [{ solution: PERF, route: 'relay' as const, everyMs: 10_000 }];
    const first = await openTestRouting(folder.path, { configured });
    assert.deepEqual(first.list().find(({ name }) => name === PERF)?.route, { value: 'relay', why: 'configuration' });
    await first.say({ solution: 'performance COUNTERS' }, { route: 'direct' });

    const second = await openTestRouting(folder.path, { configured });
    const state = second.list().find(({ name }) => name === PERF);
    assert.deepEqual(
      [state?.route, state?.everyMs],
      [
        { value: 'direct', why: 'operator' },
        { value: 10_000, why: 'configuration' },
      ],
    );
    assert.equal(JSON.parse(await readFile(join(folder.path, 'routes.json'), 'utf8')).version, 1);
    assert.equal(await second.takeBack({ solution: PERF }), true);
    assert.equal(await second.takeBack({ solution: PERF }), false);
    assert.equal(setting(second, PERF)?.route, 'relay');
  });

  it('tells of routes by group and by data type', async () => {
    await using folder = await temporaryFolder();
    const routing = await openTestRouting(folder.path);
    await routing.say({ solution: PERF, group: 'web' }, { route: 'relay', isEnabled: true });
    await routing.say({ solution: PERF, dataType: 'perf_blob' }, { route: 'relay' });
    await routing.say({ solution: PERF, group: 'web' }, { everyMs: 5_000 });
    assert.deepEqual(setting(routing, PERF), { name: PERF, isEnabled: true, everyMs: 5_000, route: 'relay' });
    assert.deepEqual(setting(routing, PERF, agent('db-1')), {
      name: PERF,
      isEnabled: true,
      everyMs: 60_000,
      route: 'direct',
      dataTypes: { PERF_BLOB: 'relay' },
    });
    const exceptions = routing.list().find(({ name }) => name === PERF)?.exceptions;
    assert.deepEqual(
      exceptions?.map(({ group, dataType, source }) => [group, dataType, source]),
      [
        [undefined, 'PERF_BLOB', 'operator'],
        ['web', undefined, 'operator'],
      ],
    );
  });

  it('refuses what cannot hold, says what was probably meant, and changes nothing', async () => {
    await using folder = await temporaryFolder();
    const routing = await openTestRouting(folder.path);
    let changes = 0;
    routing.onChange(() => {
      changes += 1;
    });
    const code = 'relay.routing.bad-rule';
    await assert.rejects(routing.say({ solution: 'Performence counters' }, { route: 'relay' }), { code, message: /did you mean Performance counters\?/ });
    await assert.rejects(routing.say({ solution: PERF, group: 'wep' }, { route: 'relay' }), { code, message: /found the group "wep"; .*did you mean web\?/ });
    await assert.rejects(routing.say({ solution: 'Configuration Assessment' }, { route: 'direct' }), { code, message: /needs the management group/ });
    await assert.rejects(routing.say({ solution: PERF, dataType: 'PERF_BLOB' }, { isEnabled: false }), { code, message: /only a route/ });
    await assert.rejects(routing.say({ solution: PERF }, {}), { code, message: /found nothing/ });
    assert.equal(changes, 0);
    assert.deepEqual(await readdir(folder.path), []);
    await routing.say({ solution: PERF }, { isEnabled: false });
    assert.equal(changes, 1);
  });

  it('writes changes one after the other and loses none', async () => {
    await using folder = await temporaryFolder();
    const routing = await openTestRouting(folder.path);
    await Promise.all(['PERF_BLOB', 'LINUX_PERF_BLOB', 'A_BLOB', 'B_BLOB'].map((dataType) => routing.say({ solution: PERF, dataType }, { route: 'relay' })));
    assert.equal((await openTestRouting(folder.path)).list().find(({ name }) => name === PERF)?.exceptions.length, 4);
  });

  it('sets a file that cannot be read aside, and goes on with the configuration', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'routes.json'), '{"version":1,"rules":[{"solution"');
    const lines: string[] = [];
    const log = createLogger('error', { write: (line: string) => void lines.push(line) });
    const routing = await openTestRouting(folder.path, { log });
    assert.equal(setting(routing, PERF)?.route, 'direct');
    assert.deepEqual(await readdir(folder.path), ['routes.json.damaged-1']);
    assert.match(lines.join(''), /were set aside/);
  });
});

describe('data marked direct', () => {
  it('is known by data type and solution, where the workspace has a direct way', async () => {
    await using folder = await temporaryFolder();
    const routing = await openTestRouting(folder.path);
    assert.equal(routing.directSolutionOf(PERF_BATCH), PERF);
    assert.equal(routing.directSolutionOf({ ...PERF_BATCH, workspaceId: SHUT }), undefined);
    assert.equal(routing.directSolutionOf({ ...PERF_BATCH, dataType: 'HEALTH_ASSESSMENT_BLOB' }), undefined);
    assert.equal(routing.directSolutionOf({ ...PERF_BATCH, dataType: 'NEVER_SEEN' }), undefined);
    assert.equal(routing.directSolutionOf({ ...PERF_BATCH, dataType: 'Demo', solution: 'CustomLog' }), 'Syslog, custom logs');
  });

  it('costs no look at the agent while no rule and no platform needs one, and follows every change', async () => {
    await using folder = await temporaryFolder();
    let looks = 0;
    const findAgent = (): typeof WEB => {
      looks += 1;
      return WEB;
    };
    const routing = await openTestRouting(folder.path, { findAgent });
    for (let round = 0; round < 1_000; round += 1) routing.directSolutionOf(PERF_BATCH);
    assert.equal(looks, 0);
    await routing.say({ solution: PERF, group: 'web' }, { route: 'relay' });
    assert.equal(routing.directSolutionOf(PERF_BATCH), undefined);
    assert.equal(looks, 1);
    assert.equal(routing.directSolutionOf({ ...PERF_BATCH, dataType: 'CONFIG_CHANGE_BLOB' }), 'Change Tracking (Linux)');
    await routing.takeBack({ solution: PERF });
    assert.equal(routing.directSolutionOf(PERF_BATCH), PERF);
  });

  it('is by rule what the table does not know, and senders’ names never fill the memory', async () => {
    await using folder = await temporaryFolder();
    const routing = await openTestRouting(folder.path);
    await routing.say({ solution: 'IIS logs', dataType: 'W3C_LOG' }, { route: 'direct' });
    assert.equal(routing.directSolutionOf({ ...PERF_BATCH, dataType: 'W3C_LOG' }), 'IIS logs');
    for (let name = 0; name < 10_000; name += 1) routing.directSolutionOf({ ...PERF_BATCH, dataType: `TYPE_${name}` });
    assert.equal(routing.directSolutionOf(PERF_BATCH), PERF);
  });
});
