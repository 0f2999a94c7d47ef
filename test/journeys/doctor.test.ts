import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../src/doctor/finding.ts';
import { runCommand } from '../support/run-relay.ts';
import { startSite } from '../support/site.ts';

test('beside a running relay the doctor knows its ports, asks it how it is, and finds nothing wrong; beside a dead one it says so', async () => {
  await using site = await startSite();
  const args = ['doctor', '--json', '--limit', '10s', '--upload', '--config', site.relay.configFile];
  const well = await runCommand(args);
  const { findings } = JSON.parse(well.out) as { findings: readonly Finding[] };
  const bad = findings.filter(({ state }) => state === 'wrong');
  assert.deepEqual(bad, []);
  const stateOf = (step: string): string => findings.find((finding) => finding.step === step)?.what ?? 'no such step';
  assert.match(stateOf('running'), /runs since .* and takes data/);
  assert.match(stateOf('port: intake.port'), /running relay’s|free port/);
  assert.match(stateOf('test upload'), /delivered/);
  assert.ok(well.code === 0 || well.code === 4, `exit code ${well.code}`);

  await site.relay.end('SIGTERM');
  await site.killRedis();
  const ill = await runCommand(['doctor', '--limit', '1s', '--config', site.relay.configFile]);
  assert.equal(ill.code, 1);
  assert.match(ill.out, /no relay answers/);
  assert.match(ill.out, /WRONG +redis: .*\n +→ Start it/);
});
