/** Run by `full-disk.test.ts` in a mount namespace of its own: enters into a log on a small disk until it is full. Ends with an error when a promise is broken. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAuditKey } from '../../src/audit/audit-key.ts';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { verifyAuditLog } from '../../src/audit/verify.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { enterMany } from './rig.ts';

const [disk = ''] = process.argv.slice(2);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
const reserve = join(disk, 'reserve');
await writeFile(reserve, Buffer.alloc(64 * 1024));
const folder = join(disk, 'audit');
const keyFile = join(disk, 'audit.key');
let failures = 0;
const onFailure = (): void => {
  failures += 1;
};
const log = await openAuditLog({ folder, keyFile, clock: systemClock, log: silentLogger, onFailure });
const check = async (): Promise<readonly string[]> => {
  const { fault, lines, remarks } = await verifyAuditLog(folder, await readAuditKey(keyFile));
  assert.deepEqual([fault, lines], [undefined, log.head().number]);
  return remarks;
};

for (let rounds = 0; failures === 0 && rounds < 1_000; rounds += 1) enterMany(log, 10);
enterMany(log, 20);
assert.ok(failures > 20, 'the disk never became full');
await check();
await rm(reserve);
enterMany(log, 5);
assert.match((await check()).join(), new RegExp(`audit.missed: ${failures} entries could not be written`));
log.close();
