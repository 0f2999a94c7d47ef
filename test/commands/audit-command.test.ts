import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { auditCommand } from '../../src/commands/audit.ts';
import { type AuditRig, createAuditRig, enterMany } from '../audit/rig.ts';

async function run(...words: string[]): Promise<{ out: string; failure: unknown }> {
  const lines: string[] = [];
  const command = auditCommand({}, (json) => ({ json, line: (text) => void lines.push(text) }));
  for (const one of [command, ...command.commands]) one.exitOverride().configureOutput({ writeErr: () => {} });
  const failure: unknown = await command.parseAsync(words, { from: 'user' }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { out: lines.join('\n'), failure };
}

async function fiveLines(rig: AuditRig): Promise<string> {
  const log = await rig.open();
  enterMany(log, 5);
  log.close();
  return dirname(rig.folder);
}

describe('relay audit', () => {
  it('lists who, what, on what, from where and the result, from the files of a stopped relay too', async () => {
    await using rig = await createAuditRig();
    const data = await fiveLines(rig);
    const [heading = '', row = '', ...more] = (await run('list', '--data', data, '--last', '2')).out.split('\n');
    assert.match(heading, /^NUMBER +TIME +WHO +ACTION +ON +FROM +RESULT +DETAIL/);
    assert.match(row, /^4 +2026-11-23 08:00:00 +ada +agent.approve +agent-4 +socket +done/);
    assert.equal(more.length, 1);
    assert.equal((await run('list', '--data', data, '--action', 'cache')).out, 'No entries.');
    assert.equal(JSON.parse((await run('list', '--data', data, '--json', '--on', 'agent-3')).out).length, 1);
  });

  it('verifies the files, and prints the last line as --head takes it', async () => {
    await using rig = await createAuditRig();
    const data = await fiveLines(rig);
    const { out, failure } = await run('verify', '--data', data);
    assert.equal(failure, undefined);
    const [, head = ''] = /^5 lines are as they were written\. The last one: --head (5:[0-9a-f]{64})$/.exec(out) ?? [];
    assert.equal((await run('verify', '--data', data, '--head', head)).failure, undefined);
    const later = await run('verify', '--data', data, '--head', head.replace('5:', '6:'));
    assert.match(String(later.failure), /cut, line 6/);
  });

  it('ends with exit code 1 and names the first bad line', async () => {
    await using rig = await createAuditRig();
    const data = await fiveLines(rig);
    await rig.edit((lines) => lines.with(2, (lines[2] ?? '').replace('ada', 'bob')));
    const { out, failure } = await run('verify', '--data', data);
    assert.equal((failure as { exitCode?: number }).exitCode, 1);
    assert.match(out, /^changed: line 3 \(.*\/audit\/audit-000000000001\.jsonl, line 3 of the file\): this line is not as it was written\.$/);
    const json = await run('verify', '--data', data, '--json');
    assert.equal((JSON.parse(json.out) as { fault: { fault: string } }).fault.fault, 'changed');
  });

  it('refuses a time, a number or a line that is none', async () => {
    for (const words of [
      ['list', '--since', 'yesterday'],
      ['list', '--last', '0'],
      ['verify', '--head', '5'],
    ]) {
      assert.equal(((await run(...words)).failure as { code?: string }).code, 'commander.invalidArgument');
    }
  });

  it('says that the key is missing', async () => {
    await using rig = await createAuditRig();
    const data = await fiveLines(rig);
    const { failure } = await run('verify', '--data', data, '--key-file', `${data}/nothing`);
    assert.match(String(failure), /nothing cannot be used: there is no such file/);
  });
});
