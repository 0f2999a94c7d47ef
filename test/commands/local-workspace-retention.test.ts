// The commands that keep and remove rows, over a control socket as a running local workspace has it.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { server as createServer } from '@hapi/hapi';
import type { Command } from 'commander';
import type { Confirm } from '../../src/commands/confirm.ts';
import { lockCommand } from '../../src/commands/local-workspace-lock.ts';
import { purgeCommand, tableCommand } from '../../src/commands/local-workspace-purge.ts';
import { retentionCommand } from '../../src/commands/local-workspace-retention.ts';
import type { Output } from '../../src/commands/output.ts';
import { whoIsOperator } from '../../src/local-workspace/access/access-routes.ts';
import { OPERATOR } from '../../src/local-workspace/access/actor.ts';
import { controlPath } from '../../src/local-workspace/control/control-client.ts';
import { retentionRoutes } from '../../src/local-workspace/retention/retention-routes.ts';
import { createFakeTables, type FakeTables, type Rig, startRetention } from '../local-workspace/retention/rig.ts';
import { BANK } from '../local-workspace/rig.ts';

const OTHER = '22222222-2222-4222-8222-222222222222';

interface Site extends Rig {
  readonly tables: FakeTables;
  /** Runs a command's words; `answer` is what the person says. Gives what was printed. */
  run(words: readonly string[], answer?: boolean): Promise<string>;
  /** What the person was asked. */
  readonly questions: string[];
}

async function startSite(t: TestContext): Promise<Site> {
  const tables = createFakeTables();
  const rig = await startRetention(t, { tables });
  const isHosted = (id: string): boolean => id === BANK;
  const control = createServer({ port: controlPath(rig.folder), debug: false });
  control.route(
    retentionRoutes({
      authorise: whoIsOperator({ operator: OPERATOR }, isHosted),
      workspaceOf: (id) => (isHosted(id) ? rig.workspace : undefined),
      now: rig.clock.now,
    }),
  );
  await control.start();
  t.after(() => control.stop());
  const questions: string[] = [];
  return { ...rig, tables, questions, run: (words, answer) => run(rig.folder, words, questions, answer) };
}

async function run(data: string, [name = '', ...words]: readonly string[], questions: string[], answer = false): Promise<string> {
  const lines: string[] = [];
  const outputFor = (json: boolean): Output => ({ json, line: (text) => void lines.push(text) });
  const confirm: Confirm = async (question) => {
    questions.push(question);
    return answer;
  };
  // Waiting between two looks is over at once.
  const parts = { outputFor, confirm, pause: () => Promise.resolve() };
  const made: Command | undefined = [retentionCommand(outputFor, confirm), purgeCommand(parts), tableCommand(parts), lockCommand(outputFor)].find(
    (one) => one.name() === name,
  );
  const all = (one: Command): Command[] => [one, ...one.commands.flatMap(all)];
  for (const one of made ? all(made) : []) one.exitOverride().configureOutput({ writeErr: () => {} });
  await made?.parseAsync([...words, '--data', data, ...(words.includes('--workspace') ? [] : ['--workspace', BANK])], { from: 'user' });
  return lines.join('\n');
}

test('retention is shown, lengthened, shortened after a person said yes, and the shortening taken back', async (t) => {
  const { run, questions } = await startSite(t);
  assert.equal(await run(['retention', 'set', '--days', '90']), `Workspace ${BANK} is kept 90 days.`);
  assert.equal(await run(['retention', 'set', '--table', 'Syslog', '--days', '365']), 'Syslog is kept 365 days.');
  await assert.rejects(run(['retention', 'set', '--table', 'Syslog', '--follow']), {
    exitCode: 1,
    message: /^Nothing was changed\. .* from 365 to 90 days is shorter/,
  });
  assert.match(questions[0] ?? '', /no rows of today would be past their time.*\nShorten it\?$/s);
  const shortened = await run(['retention', 'set', '--table', 'Syslog', '--follow'], true);
  assert.equal(shortened, 'Syslog is kept 365 days; 90 days from 2026-12-29T12:00:00.000Z.');
  assert.equal(
    await run(['retention', 'show']),
    [
      `Workspace ${BANK}: 90 days (plan paid). A shortening waits 30 days.`,
      'TABLE    DAYS  SET                WAITS',
      'Door_CL  90    for the workspace',
      'Syslog   365   for the table      90 days from 2026-12-29T12:00:00.000Z',
    ].join('\n'),
  );
  assert.equal(await run(['retention', 'take-back', '--table', 'Syslog']), 'Taken back. Syslog is kept 365 days.');
  assert.equal(await run(['retention', 'set', '--days', '31', '--yes']), `Workspace ${BANK} is kept 90 days; 31 days from 2026-12-29T12:00:00.000Z.`);
  const { workspace, tables } = JSON.parse(await run(['retention', 'show', '--json'])) as { workspace: { name: string }; tables: unknown[] };
  assert.deepEqual([workspace.name, tables.length, questions.length], [BANK, 2, 2]);
  await assert.rejects(run(['retention', 'set', '--follow']), { exitCode: 2 });
  await assert.rejects(run(['retention', 'set', '--days', '3']), /from 4 to 730/);
});

test('a purge is asked about without its values, taken, waited for and looked up', async (t) => {
  const { run, questions, tables } = await startSite(t);
  const words = ['purge', 'Door_CL', '--filter', 'Person in~ (jdoe, "J. Doe")', 'TimeGenerated < 2026-11-01'];
  await assert.rejects(run(words), { exitCode: 1, message: 'Nothing was removed. Without a person to ask, add --yes.' });
  assert.equal(questions[0], 'This removes the rows of Door_CL with Person in~ … and TimeGenerated < … for good. It cannot be cancelled. Purge them?');
  assert.equal(tables.orders.length, 0);
  const text = await run([...words, '--wait'], true);
  const [, id = ''] = /^(purge-\S+) on Door_CL, requested 2026-11-29T12:00:00.000Z by operator, is completed since \S+, 15 rows removed\.$/.exec(text) ?? [];
  assert.deepEqual(tables.orders[0]?.filters, [
    { column: 'Person', operator: 'in~', value: ['jdoe', 'J. Doe'] },
    { column: 'TimeGenerated', operator: '<', value: '2026-11-01' },
  ]);
  assert.equal(await run(['purge', 'status', id]), text);
  const taken = JSON.parse(await run(['purge', 'request', 'Door_CL', '--filter', 'Person == x', '--yes', '--json'])) as { operationId: string };
  assert.match(taken.operationId, /^purge-/);
  await assert.rejects(run(['purge', 'Door_CL', '--filter', 'Person != x', '--yes']), /It must be one of: Column == value/);
  await assert.rejects(run(['purge', 'Door_CL', '--filter', 'Persons == x', '--yes']), { code: 'BadArgumentError' });
  await assert.rejects(run(['purge', 'status', 'purge-x']), { code: 'NotFoundError' });
});

test('a custom table is deleted after a person said yes', async (t) => {
  const { run, tables } = await startSite(t);
  await assert.rejects(run(['table', 'delete', 'Door_CL']), { exitCode: 1 });
  await assert.rejects(run(['table', 'delete', 'Syslog', '--yes']), { code: 'BadArgumentError' });
  assert.match(await run(['table', 'delete', 'Door_CL', '--wait'], true), /^delete-\S+ on Door_CL, .* is completed since \S+, 30 rows removed\.$/);
  assert.deepEqual(tables.dropped, ['Door_CL']);
});

test('a lock is set, shown, refuses what it forbids, and is lifted', async (t) => {
  const { run } = await startSite(t);
  assert.equal(await run(['lock', 'show']), 'Not locked.');
  assert.equal(await run(['lock', 'set', '--reason', 'case 4711']), 'The workspace is locked. Rows past the retention in force go on leaving.');
  for (const words of [
    ['purge', 'Door_CL', '--filter', 'Person == x', '--yes'],
    ['table', 'delete', 'Door_CL', '--yes'],
    ['retention', 'set', '--days', '700'],
    ['retention', 'take-back'],
  ]) {
    await assert.rejects(run(words), { code: 'ScopeLocked', message: /has been locked since \S+ by operator: "case 4711"/ });
  }
  assert.match(await run(['retention', 'show']), /\nIt is locked: /);
  assert.match(await run(['lock', 'show']), /^Locked since \S+ by operator: "case 4711"\. .*\nAT +LOCK +BY +REASON\n\S+ +set +operator +case 4711$/);
  assert.equal(await run(['lock', 'lift', '--reason', 'case closed']), 'The lock is lifted.');
  await assert.rejects(run(['lock', 'lift', '--reason', 'again']), { code: 'ConflictError' });
  await assert.rejects(run(['lock', 'show', '--workspace', OTHER]), { code: 'NotFoundError' });
});
