import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Server } from '@hapi/hapi';
import { incidentsCommand } from '../../src/commands/incidents.ts';
import type { IncidentRecord } from '../../src/incidents/incident.ts';
import { incidentRoutes } from '../../src/incidents/incident-routes.ts';
import { controlPath } from '../../src/local-workspace/control/control-client.ts';
import { createControlRig } from '../control/rig.ts';
import { BAD_TOKEN, createRig, KEY_TAKEN, type Rig } from '../incidents/rig.ts';

async function run(...words: string[]): Promise<string> {
  const lines: string[] = [];
  const command = incidentsCommand({}, (json) => ({ json, line: (text) => void lines.push(text) }));
  for (const each of command.commands) each.exitOverride().configureOutput({ writeErr: () => {} });
  await command.parseAsync(words, { from: 'user' });
  return lines.join('\n');
}

/** A relay's control socket with these incidents. */
async function relayWith(rig: Rig) {
  const control = await createControlRig([], rig.incidents);
  return { ...control, flags: ['--socket', control.socket] };
}

/** What a local workspace serves at its own socket. */
async function localWorkspaceWith({ incidents, folder }: Rig): Promise<AsyncDisposable & { readonly flags: string[] }> {
  const server = new Server({ port: controlPath(folder), debug: false });
  server.route(incidentRoutes(incidents, () => undefined));
  await server.start();
  return { flags: ['--local-workspace', folder], [Symbol.asyncDispose]: () => server.stop() };
}

describe('relay incidents', () => {
  it('lists those that are not closed, the youngest first, and the others when asked', async () => {
    await using rig = await createRig();
    await using relay = await relayWith(rig);
    assert.equal(await run('list', ...relay.flags), 'No incidents.');
    rig.incidents.report(KEY_TAKEN);
    rig.incidents.report({ ...BAD_TOKEN, count: 20 });
    const [heading = '', ...rows] = (await run('list', ...relay.flags)).split('\n');
    assert.match(heading, /^ID +SEVERITY +STATE +KIND +SOURCE +ABOUT +TIMES +FIRST +LAST$/);
    assert.deepEqual(
      rows.map((row) => row.slice(0, 8)),
      ['INC-0002', 'INC-0001'],
    );
    await run('close', 'INC-0001', '--comment', 'mended', ...relay.flags);
    assert.deepEqual(JSON.parse(await run('list', '--json', ...relay.flags)).length, 1);
    assert.deepEqual(JSON.parse(await run('list', '--all', '--json', ...relay.flags)).length, 2);
    assert.match(await run('list', '--state', 'closed', '--kind', 'key-taken-away', ...relay.flags), /INC-0001/);
    await assert.rejects(run('list', '--kind', 'nothing', ...relay.flags), /Allowed choices are certificates-refused/);
  });

  it('moves one on, in the name of whoever asks, and enters that in the audit log', async () => {
    await using rig = await createRig();
    await using relay = await relayWith(rig);
    rig.incidents.report(KEY_TAKEN);
    assert.equal(await run('assess', '1', '--comment', 'looking', ...relay.flags), 'INC-0001 is assessed.');
    assert.equal(await run('contain', 'inc-1', '--comment', 'key is back', ...relay.flags), 'INC-0001 is contained.');
    await assert.rejects(run('assess', '1', '--comment', 'again', ...relay.flags), {
      code: 'relay.command.refused',
      message: /never goes back to assessed\. Move it on to closed/,
    });
    await assert.rejects(run('close', '7', '--comment', 'x', ...relay.flags), { message: /There is no incident "7"/ });
    await assert.rejects(run('close', '1', '--comment', ' ', ...relay.flags), { message: /comment: say in a few words why/ });
    await assert.rejects(run('close', '1', ...relay.flags), /required option '--comment/);
    assert.deepEqual(
      relay.entries.map(({ action, on, result, detail }) => [action, on, result, detail?.slice(0, 20)]),
      [
        ['incident.change', '1', 'done', 'assessed: looking'],
        ['incident.change', 'inc-1', 'done', 'contained: key is ba'],
        ['incident.change', '1', 'refused', 'INC-0001: It is cont'],
        ['incident.change', '7', 'refused', 'There is no incident'],
        ['incident.change', '1', 'refused', 'comment: say in a fe'],
      ],
    );
    const { timeline } = JSON.parse(await run('show', '1', '--json', ...relay.flags)) as IncidentRecord;
    assert.deepEqual(
      timeline.map(({ what, who }) => [what, who === 'system']),
      [
        ['detected', true],
        ['assessed', false],
        ['contained', false],
      ],
    );
  });

  it('shows one with its time line, on lines of its own whatever its texts hold', async () => {
    await using rig = await createRig();
    await using relay = await relayWith(rig);
    rig.incidents.report({ ...KEY_TAKEN, detail: 'one\ntwo\u001b[31m' });
    const shown = await run('show', 'INC-0001', ...relay.flags);
    assert.match(shown, /^INC-0001: key taken away \(error, detected\)\nwhat: {6}one two \[31m\nabout: {5}vault\/bank\n/);
    assert.match(shown, /\nTIME +WHO +WHAT\n2026-11-23 08:00:00 {2}system {2}detected {2}one two \[31m$/);
  });

  it('asks a local workspace by its data folder', async () => {
    await using rig = await createRig();
    await using local = await localWorkspaceWith(rig);
    rig.incidents.report(KEY_TAKEN);
    assert.match(await run('list', ...local.flags), /INC-0001/);
    assert.equal(await run('close', '1', '--comment', 'mended', ...local.flags), 'INC-0001 is closed.');
    assert.notEqual(rig.incidents.show('1')?.timeline.at(-1)?.who, 'unknown', 'the command line says who asks');
    await assert.rejects(run('list', '--local-workspace', join(rig.folder, 'elsewhere')), { code: 'relay.control.not-running' });
  });

  it('refuses filters and changes that it does not know', async () => {
    await using rig = await createRig();
    const server = new Server({ debug: false });
    server.route(incidentRoutes(rig.incidents, () => 'anna'));
    server.ext('onPreResponse', ({ response }, h) => ('code' in response ? h.response({ code: response.code }).code(400) : h.continue));
    rig.incidents.report(KEY_TAKEN);
    for (const query of ['state=open', 'limit=0', 'limit=1001', 'since=x', 'colour=red', 'open=perhaps']) {
      const { result } = await server.inject(`/incidents?${query}`);
      assert.deepEqual(result, { code: 'relay.control.bad-request' }, query);
    }
    for (const payload of [
      {},
      { state: 'detected', comment: 'x' },
      { state: 'closed' },
      { state: 'closed', comment: 'x'.repeat(1_001) },
      { state: 'closed', comment: 'x', more: 1 },
    ]) {
      const { result } = await server.inject({ method: 'POST', url: '/incidents/1', payload });
      assert.deepEqual(result, { code: 'relay.control.bad-request' }, JSON.stringify(payload));
    }
    assert.equal(rig.incidents.show('1')?.incident.state, 'detected');
  });
});
