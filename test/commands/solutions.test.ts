import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { solutionsCommand } from '../../src/commands/solutions.ts';
import { type ControlRig, createControlRig } from '../control/rig.ts';

const PERF = 'Performance counters';

async function run({ socket }: ControlRig, ...words: string[]): Promise<string> {
  const lines: string[] = [];
  const command = solutionsCommand({}, (json) => ({ json, line: (text) => void lines.push(text) }));
  await command.parseAsync([...words, '--socket', socket], { from: 'user' });
  return lines.join('\n');
}

describe('relay solutions', () => {
  it('lists platform, interval, default, route now, why, and that no workspace has a direct way', async () => {
    await using rig = await createControlRig();
    const text = await run(rig, 'list');
    assert.match(text, /^SOLUTION +PLATFORM +ENABLED +EVERY +DEFAULT +ROUTE +WHY +EXCEPT$/m);
    assert.match(text, /^Performance counters +Windows, Linux +yes +1m +direct +direct +default$/m);
    assert.match(text, /^Configuration Assessment +Windows +yes +12h +relay +relay +required$/m);
    assert.match(text, /No workspace has a direct way/);
  });

  it('changes a route, an interval, and whether it is collected; shows exceptions; takes all of it back; enters each', async () => {
    await using rig = await createControlRig();
    assert.equal(await run(rig, 'route', 'performance counters', 'relay'), `${PERF}: collected every 1m; goes through the relay (operator).`);
    await run(rig, 'route', PERF, 'direct', '--group', 'web', '--data-type', 'linux_perf_blob');
    assert.equal(
      await run(rig, 'enable', PERF, '--every', '10s'),
      `${PERF}: collected every 10s (operator); goes through the relay (operator).\nexcept: LINUX_PERF_BLOB in group web: direct (operator)`,
    );
    assert.match(await run(rig, 'disable', PERF), /: not collected \(operator\);/);
    assert.match(
      await run(rig, 'list'),
      /Performance counters +Windows, Linux +no \(operator\) +10s \(operator\) +direct +relay +operator +LINUX_PERF_BLOB in group web/,
    );
    assert.equal(await run(rig, 'reset', PERF), `${PERF}: collected every 1m; goes straight from the agents to the workspace (default).`);
    assert.deepEqual(
      rig.entries.map(({ action, on, result }) => `${action} ${on} ${result}`),
      ['solution.change performance counters done', ...Array.from({ length: 3 }, () => `solution.change ${PERF} done`), `solution.reset ${PERF} done`],
    );
  });

  it('says what was probably meant', async () => {
    await using rig = await createControlRig();
    await assert.rejects(run(rig, 'route', 'Performance counter', 'relay'), /did you mean Performance counters\?/);
    await assert.rejects(run(rig, 'route', PERF, 'relay', '--group', 'wep'), /did you mean web\?/);
    await assert.rejects(run(rig, 'reset', PERF), /No operator has said anything about Performance counters\./);
  });
});
