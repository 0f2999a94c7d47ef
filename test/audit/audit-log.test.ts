import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { auditFile } from '../../src/audit/audit-files.ts';
import type { AuditEvent } from '../../src/audit/entry.ts';
import { readEntries } from '../../src/audit/read.ts';
import { removeOldFiles } from '../../src/audit/retention.ts';
import { silentLogger } from '../../src/logger.ts';
import { createAuditRig, enterMany, eventNumber, fileNames } from './rig.ts';

const DAY_MS = 24 * 60 * 60_000;
const ALL = { last: 1000 };

describe('the audit log', () => {
  it('holds who, what, on what, from where and the result, in files that only their owner may read', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open();
    log.enter({ ...eventNumber(1), result: 'refused', detail: 'no such “agent”\n' });
    assert.deepEqual(await readEntries(rig.folder, ALL), [
      { ...eventNumber(1), number: 1, at: '2026-11-23T08:00:00.000Z', result: 'refused', detail: 'no such “agent”\n' },
    ]);
    for (const path of [rig.keyFile, auditFile(rig.folder, 1).path, join(rig.folder, 'head.json')]) assert.equal((await stat(path)).mode & 0o777, 0o600, path);
    assert.equal((await rig.verify()).fault, undefined);
    log.close();
  });

  it('goes on over starts in the same file, and over months in a new one', async () => {
    await using rig = await createAuditRig();
    for (const days of [0, 1, 30]) {
      rig.clock.advance(days * DAY_MS);
      const log = await rig.open();
      enterMany(log, 2);
      log.close();
    }
    assert.deepEqual(await fileNames(rig.folder), [auditFile('', 1).name, auditFile('', 5).name]);
    const { fault, lines, remarks } = await rig.verify();
    assert.deepEqual([fault, lines, remarks], [undefined, 6, []]);
  });

  it('sets a line aside that a crash left unfinished, and says so', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open();
    enterMany(log, 3);
    const { path } = auditFile(rig.folder, 1);
    await writeFile(path, '{"number":4,"at":"20', { flag: 'a' });
    assert.match((await rig.verify()).remarks.join(), /ends with 20 bytes/);
    const again = await rig.open();
    enterMany(again, 1);
    const { fault, lines, remarks } = await rig.verify();
    assert.deepEqual([fault, lines], [undefined, 5]);
    assert.match(remarks.join(), /line 4, .*: audit.repaired: 20 bytes of a line that was not finished were set aside/);
    assert.ok((await readdir(rig.folder)).includes(`${auditFile('', 1).name}.unfinished-4`));
    log.close();
    again.close();
  });

  it('never closes over a tail that was cut off: it is found after the next start, too', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open();
    enterMany(log, 5);
    log.close();
    await rig.edit((lines) => lines.slice(0, 3));
    const again = await rig.open();
    enterMany(again, 2);
    again.close();
    const { fault } = await rig.verify();
    assert.deepEqual([fault?.fault, fault?.number, fault?.message], ['removed', 4, 'lines 4 to 5 are gone']);
    assert.match(rig.errors.join(), /the lines after 3 up to 5 are gone/);
  });

  it('finds half an acknowledged line: it is gone, not unfinished', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open();
    enterMany(log, 5);
    log.close();
    const { path } = auditFile(rig.folder, 1);
    await truncate(path, (await stat(path)).size - 10);
    assert.deepEqual((await rig.verify()).fault?.fault, 'cut');
    (await rig.open()).close();
    assert.deepEqual((await rig.verify()).fault?.fault, 'removed');
  });

  it('does not stop anything when it cannot be written, and tells later how many entries are missing', async () => {
    await using rig = await createAuditRig();
    const failures: true[] = [];
    const log = await rig.open({ onFailure: () => void failures.push(true), fileBytes: 300 });
    enterMany(log, 1);
    // A folder where the next file would be: what root may not write either.
    await mkdir(auditFile(rig.folder, 2).path);
    enterMany(log, 3);
    assert.equal(failures.length, 3);
    assert.match(rig.errors[0] ?? '', /could not be written/);
    await rm(auditFile(rig.folder, 2).path, { recursive: true });
    enterMany(log, 1);
    const { fault, lines, remarks } = await rig.verify();
    assert.deepEqual([fault, lines], [undefined, 3]);
    assert.match(remarks.join(), /audit.missed: 3 entries could not be written/);
    log.close();
  });

  it('says that its key was lost, goes on with a new one, and the lines before can be verified no more', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open();
    enterMany(log, 2);
    log.close();
    await rm(rig.keyFile);
    (await rig.open()).close();
    assert.match(rig.errors.join(), /the key that sealed the lines before is gone/);
    assert.deepEqual((await rig.verify()).fault?.fault, 'other-key');
  });

  it('refuses a key file that holds no key', async () => {
    await using rig = await createAuditRig();
    (await rig.open()).close();
    await writeFile(rig.keyFile, 'short');
    await chmod(rig.keyFile, 0o600);
    await assert.rejects(rig.open(), { code: 'relay.audit.key-unusable', message: /does not hold 32 bytes/ });
  });

  it('lists by time, action, object and number', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open({ fileBytes: 500 });
    enterMany(log, 4);
    rig.clock.advance(DAY_MS);
    const purge: AuditEvent = { ...eventNumber(5), action: 'cache.purge' };
    log.enter(purge);
    const numbers = async (filter: object): Promise<number[]> => (await readEntries(rig.folder, { ...ALL, ...filter })).map(({ number }) => number);
    assert.deepEqual(await numbers({}), [1, 2, 3, 4, 5]);
    assert.deepEqual(await numbers({ last: 2 }), [4, 5]);
    assert.deepEqual(await numbers({ since: rig.clock.now() }), [5]);
    assert.deepEqual(await numbers({ action: 'agent' }), [1, 2, 3, 4]);
    assert.deepEqual(await numbers({ action: 'cache.purge' }), [5]);
    assert.deepEqual(await numbers({ on: 'AGENT-3' }), [3]);
    log.close();
  });
});

describe('old files of the audit log', () => {
  it('go as a whole, with an entry that lets the rest be verified; no entry, no removal', async () => {
    await using rig = await createAuditRig();
    const log = await rig.open({ fileBytes: 500 });
    enterMany(log, 6);
    rig.clock.advance(10 * DAY_MS);
    enterMany(log, 2);
    const before = await fileNames(rig.folder);
    const parts = { folder: rig.folder, keepMs: 5 * DAY_MS, clock: rig.clock, log: silentLogger };
    await removeOldFiles({ ...parts, audit: { enter: () => {}, head: log.head } });
    assert.deepEqual(await fileNames(rig.folder), before);

    await removeOldFiles({ ...parts, audit: log });
    const [first = ''] = await fileNames(rig.folder);
    assert.ok(first > (before[0] ?? ''));
    const { fault, head } = await rig.verify();
    assert.deepEqual([fault, head.number], [undefined, 9]);
    const [entry] = await readEntries(rig.folder, { ...ALL, action: 'audit.remove' });
    assert.match(entry?.on ?? '', /^lines up to [46]$/);

    await removeOldFiles({ ...parts, audit: log });
    assert.equal(log.head().number, 9, 'nothing more is old');
    await rm(join(rig.folder, first));
    assert.equal((await rig.verify()).fault?.fault, 'removed', 'a file more than the entry tells');
    log.close();
  });
});
