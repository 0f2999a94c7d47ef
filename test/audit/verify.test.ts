import assert from 'node:assert/strict';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { auditFile } from '../../src/audit/audit-files.ts';
import { auditKeyOf } from '../../src/audit/audit-key.ts';
import { type AuditFault, verifyAuditLog } from '../../src/audit/verify.ts';
import { type AuditRig, createAuditRig, enterMany, fileNames } from './rig.ts';

/** A log of ten lines over several files. */
async function tenLines(rig: AuditRig, fileBytes?: number): Promise<void> {
  const log = await rig.open(fileBytes === undefined ? {} : { fileBytes });
  enterMany(log, 10);
  log.close();
}

async function faultAfter(change: (lines: string[]) => string[]): Promise<Pick<AuditFault, 'fault' | 'number' | 'place'> | undefined> {
  await using rig = await createAuditRig();
  await tenLines(rig);
  await rig.edit(change);
  const { fault } = await rig.verify();
  return fault && { fault: fault.fault, number: fault.number, place: fault.place };
}

const swap = (lines: string[], a: number, b: number): string[] => lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '');

describe('the verification of the audit log', () => {
  it('is content with a log as it was written, in one file and in several', async () => {
    for (const fileBytes of [undefined, 800]) {
      await using rig = await createAuditRig();
      await tenLines(rig, fileBytes);
      assert.equal((await fileNames(rig.folder)).length > 1, fileBytes !== undefined);
      const { fault, lines, head, remarks } = await rig.verify();
      assert.deepEqual([fault, lines, head.number, remarks], [undefined, 10, 10, []]);
    }
  });

  it('is content with a log that was never begun', async () => {
    await using rig = await createAuditRig();
    const { fault, lines } = await verifyAuditLog(rig.folder, auditKeyOf(Buffer.alloc(32)));
    assert.deepEqual([fault, lines], [undefined, 0]);
  });

  it('finds a changed line, whatever was changed in it', async () => {
    for (const change of [
      (line: string) => line.replace('agent-4', 'agent-9'),
      (line: string) => line.replace('ada', 'bob'),
      (line: string) => line.replace('"result":"done"', '"result":"refused"'),
      (line: string) => line.replace(/"at":"2026/, '"at":"2025'),
      (line: string) => line.replace('"on"', ' "on"'),
      (line: string) => line.replace(/"seal":"./, '"seal":"x'),
      (line: string) => line.replace(/.$/, ''),
      () => '',
      () => '{}',
    ]) {
      const found = await faultAfter((lines) => lines.with(3, change(lines[3] ?? '')));
      assert.deepEqual(found, { fault: 'changed', number: 4, place: 4 }, String(change));
    }
  });

  it('finds removed lines: the first, one, several', async () => {
    assert.deepEqual(await faultAfter((lines) => lines.toSpliced(0, 1)), { fault: 'removed', number: 1, place: undefined });
    assert.deepEqual(await faultAfter((lines) => lines.toSpliced(4, 1)), { fault: 'removed', number: 5, place: undefined });
    assert.deepEqual(await faultAfter((lines) => lines.toSpliced(4, 3)), { fault: 'removed', number: 5, place: undefined });
  });

  it('finds reordered lines, side by side and far apart', async () => {
    assert.deepEqual(await faultAfter((lines) => swap(lines, 2, 3)), { fault: 'reordered', number: 4, place: 3 });
    assert.deepEqual(await faultAfter((lines) => swap(lines, 0, 9)), { fault: 'reordered', number: 10, place: 1 });
  });

  it('finds an inserted line and a repeated one', async () => {
    assert.deepEqual(await faultAfter((lines) => lines.toSpliced(5, 0, (lines[5] ?? '').replace('ada', 'bob'))), { fault: 'inserted', number: 6, place: 6 });
    assert.deepEqual(await faultAfter((lines) => lines.toSpliced(5, 0, lines[2] ?? '')), { fault: 'repeated', number: 3, place: 6 });
    assert.deepEqual(await faultAfter((lines) => [...lines, lines[9] ?? '']), { fault: 'repeated', number: 10, place: 11 });
  });

  it('finds a tail that was cut off, a part of a line too, and files that are gone', async () => {
    assert.deepEqual(await faultAfter((lines) => lines.slice(0, 7)), { fault: 'cut', number: 8, place: undefined });
    assert.deepEqual(await faultAfter(() => []), { fault: 'cut', number: 1, place: undefined });
    await using rig = await createAuditRig();
    await tenLines(rig, 800);
    const [first = '', second = '', ...more] = await fileNames(rig.folder);
    assert.ok(more.length > 0);
    await rm(join(rig.folder, second));
    assert.equal((await rig.verify()).fault?.fault, 'removed');
    await rm(join(rig.folder, first));
    const { fault } = await rig.verify();
    assert.deepEqual([fault?.fault, fault?.number], ['removed', 1]);
  });

  it('finds a cut tail by a line noted elsewhere, where the note beside the log was set back, too', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open();
    enterMany(log, 5);
    await copyFile(join(rig.folder, 'head.json'), `${rig.folder}.head`);
    enterMany(log, 5);
    log.close();
    await copyFile(`${rig.folder}.head`, join(rig.folder, 'head.json'));
    await rig.edit((lines) => lines.slice(0, 5));
    assert.equal((await rig.verify()).fault, undefined, 'who has both as they were at one time cannot be found by these files');
    const { fault } = await rig.verify(log.head());
    assert.deepEqual([fault?.fault, fault?.number], ['cut', 6]);
  });

  it('finds that the note of the last line was removed or changed', async () => {
    for (const change of [(path: string) => rm(path), (path: string) => writeFile(path, '{"number":3,"seal":"x"}')]) {
      await using rig = await createAuditRig();
      await tenLines(rig);
      await change(join(rig.folder, 'head.json'));
      const { fault } = await rig.verify();
      assert.deepEqual([fault?.fault, fault?.number], ['no-note', 10]);
      (await rig.open()).close();
      assert.match((await rig.verify()).remarks.join(), /audit.repaired: the note of its last line was (missing|changed)/);
    }
  });

  it('tells a wrong key from a changed log', async () => {
    await using rig = await createAuditRig();
    await tenLines(rig);
    const { fault } = await verifyAuditLog(rig.folder, auditKeyOf(Buffer.alloc(32)));
    assert.deepEqual([fault?.fault, fault?.number], ['other-key', 1]);
  });

  it('finds two copies of a log that were mixed', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open();
    enterMany(log, 3);
    log.close();
    const path = auditFile(rig.folder, 1).path;
    await copyFile(path, `${path}.copy`);
    await copyFile(join(rig.folder, 'head.json'), `${path}.head`);
    const one = await rig.open();
    enterMany(one, 2);
    one.close();
    const [, , , fourth = ''] = await rig.lines();
    await copyFile(`${path}.copy`, path);
    await copyFile(`${path}.head`, join(rig.folder, 'head.json'));
    rig.clock.advance(1);
    const other = await rig.open();
    enterMany(other, 3);
    other.close();
    await rig.edit((lines) => lines.with(3, fourth));
    assert.equal((await rig.verify()).fault?.fault, 'other-history');
  });
});
