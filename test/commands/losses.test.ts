import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LossEntry } from '../../src/cache/loss.ts';
import { lossesCommand } from '../../src/commands/losses.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { createControlRig, WEB01 } from '../control/rig.ts';
import { BANK } from '../management-group/rig.ts';

const AT = Date.UTC(2026, 10, 23);

const LOST: LossEntry = {
  id: '1',
  workspaceId: BANK,
  kind: 'Performance',
  dataType: 'LINUX_PERF_BLOB',
  agentId: parseAgentId(WEB01),
  reason: 'cache-full',
  batches: 7,
  records: 70,
  uncountedBatches: 1,
  bytes: 700,
  firstAt: AT,
  lastAt: AT + 60_000,
  enteredAt: AT,
  reported: false,
};

async function run(socket: string, ...words: string[]): Promise<string> {
  const lines: string[] = [];
  const command = lossesCommand({}, (json) => ({ json, line: (text) => void lines.push(text) }));
  await command.parseAsync(['list', ...words, '--socket', socket], { from: 'user' });
  return lines.join('\n');
}

describe('relay losses list', () => {
  it('says what, how much, whose, why, from when to when, and whether the workspace knows', async () => {
    await using rig = await createControlRig([LOST]);
    const [heading = '', row = ''] = (await run(rig.socket)).split('\n');
    assert.match(heading, /^WORKSPACE +KIND +DATA TYPE +AGENT +REASON +BATCHES +RECORDS +BYTES +RECEIVED FROM +TO +REPORTED$/);
    assert.match(row, /Performance +LINUX_PERF_BLOB .* cache-full +7 +70\+ +700 +2026-11-23 00:00:00 +2026-11-23 00:01:00 +no$/);
    assert.deepEqual(JSON.parse(await run(rig.socket, '--json')), [LOST]);
  });

  it('lists one workspace by the beginning of its id', async () => {
    await using rig = await createControlRig([LOST]);
    assert.deepEqual(JSON.parse(await run(rig.socket, '--json', '--workspace', BANK.slice(0, 6).toUpperCase())), [LOST]);
    assert.equal(await run(rig.socket, '--workspace', 'ffff'), 'Nothing was lost.');
  });
});
