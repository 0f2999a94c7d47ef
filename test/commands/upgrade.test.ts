import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandFailure, EXIT, type Output } from '../../src/commands/output.ts';
import { upgradeCommand, wordsFor } from '../../src/commands/upgrade.ts';
import type { Ending } from '../../src/upgrade/trial-file.ts';
import { type Appliance, applianceAt } from '../support/appliance.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { smallBundle, withSmallRelease } from '../upgrade/small-release.ts';

/** Runs the command; what it printed. */
async function run(appliance: Appliance, ...args: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const outputFor = (json: boolean): Output => ({ json, line: (text) => void lines.push(text) });
  await upgradeCommand(outputFor, appliance)
    .exitOverride()
    .parseAsync([...args], { from: 'user' });
  return lines.join('\n');
}

test('relay upgrade wants one thing at a time, and says what it knows', async () => {
  await using folder = await temporaryFolder();
  const appliance = applianceAt(folder.path);
  for (const args of [
    [],
    ['x.bundle', '--roll-back'],
    ['--status', '--facts'],
    ['x.bundle', '--healthy-within', 'soon'],
    ['--roll-back', '--healthy-within', '2h'],
  ]) {
    await assert.rejects(run(appliance, ...args), (error: unknown) => error instanceof CommandFailure && error.exitCode === EXIT.usage, args.join(' '));
  }
});

test('relay upgrade --status tells which releases are there and how the last trial ended, to a program as JSON', async () => {
  await using folder = await temporaryFolder();
  await using appliance = applianceAt(join(folder.path, 'm'));
  await withSmallRelease(appliance);
  assert.match(await run(appliance, '--status'), /current: 0\.1\.0 {3}previous: none\nNo release is on trial\.$/);
  const done = await run(appliance, await smallBundle(folder.path, { version: '0.2.0' }), '--json');
  assert.equal((JSON.parse(done) as { ending: Ending }).ending, 'kept', 'one value, at the end');
  const status = JSON.parse(await run(appliance, '--status', '--json')) as Record<string, unknown>;
  assert.deepEqual([status['current'], status['previous'], status['trial']], ['0.2.0', '0.1.0', undefined]);
  assert.match(await run(appliance, '--status'), /Last trial, 20.*: Release 0\.2\.0 runs and is well/);
});

test('a trial that nobody begins is told of at once, with what to do', async () => {
  await using folder = await temporaryFolder();
  await using appliance = applianceAt(join(folder.path, 'm'));
  await withSmallRelease(appliance);
  const services = { ...appliance.services, start: () => Promise.reject(new Error('Unit relay-trial.service not found.')) };
  const bundle = await smallBundle(folder.path, { version: '0.2.0' });
  await assert.rejects(run({ ...appliance, services }, bundle), /its trial did not begin.*systemctl start relay-trial/);
});

test('however a trial ended, one sentence says what runs now and what to do', () => {
  const facts = { from: '0.1.0', to: '0.2.0', at: '2026-11-28T00:00:00.000Z', why: 'it was broken', lastLines: 'line' };
  const told: readonly [Ending, RegExp][] = [
    ['kept', /0\.2\.0 runs and is well\. 0\.1\.0 stays.*--roll-back/],
    ['taken-back', /0\.2\.0 was taken back; 0\.1\.0 runs again.*Why: it was broken\n.*0\.2\.0:\nline/],
    ['taken-back-unwell', /0\.1\.0 is not well either: relay doctor/],
    ['no-way-back', /0\.2\.0 is not well, and stays because there is no way back/],
  ];
  for (const [ending, words] of told) assert.match(wordsFor({ ...facts, ending }), words);
});
