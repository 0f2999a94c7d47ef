import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readAuditKey } from '../../../src/audit/audit-key.ts';
import type { AuditEvent } from '../../../src/audit/entry.ts';
import { verifyAuditLog } from '../../../src/audit/verify.ts';
import { type AccessAudit, auditPlaces, openAccessAudit } from '../../../src/local-workspace/access/audit.ts';
import { silentLogger } from '../../../src/logger.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { BANK, DAY, folderFor, MINUTE, PLANT, START } from './rig.ts';

async function open(t: TestContext): Promise<{ audit: AccessAudit; dataFolder: string; clock: ManualClock }> {
  const dataFolder = await folderFor(t);
  const clock = createManualClock(START);
  return { audit: await openAccessAudit({ dataFolder, clock, log: silentLogger }), dataFolder, clock };
}

function event(on: string, more: Partial<AuditEvent> = {}): AuditEvent {
  return { actor: { kind: 'token', name: 'reports (3f1c2d4e5a6b)' }, action: 'query', on, from: '192.0.2.1', result: 'done', ...more };
}

test('an owner reads the entries of its own workspace, whatever others write into theirs', async (t) => {
  const { audit } = await open(t);
  audit.enter(event(BANK));
  audit.enter(event(`${PLANT} token ${BANK}`));
  audit.enter(event(`${BANK} table Syslog`));
  const read = async (last: number, workspace?: typeof BANK): Promise<string[]> => (await audit.read({ last, action: 'query' }, workspace)).map(({ on }) => on);
  assert.deepEqual(await read(10, BANK), [BANK, `${BANK} table Syslog`]);
  assert.deepEqual(await read(1, BANK), [`${BANK} table Syslog`]);
  assert.deepEqual(await read(10, PLANT), [`${PLANT} token ${BANK}`]);
  assert.equal((await read(10)).length, 3);
  audit.close();
});

test('start and stop are entered, and the log verifies from its files', async (t) => {
  const { audit, dataFolder, clock } = await open(t);
  audit.enter(event(BANK));
  audit.close();
  clock.advance(DAY);
  const again = await openAccessAudit({ dataFolder, clock, log: silentLogger });
  const actions = (await again.read({ last: 10 })).map(({ action }) => action);
  again.close();
  assert.deepEqual(actions, ['local-workspace.start', 'query', 'local-workspace.stop', 'local-workspace.start']);
  const { folder, keyFile } = auditPlaces(dataFolder);
  const found = await verifyAuditLog(folder, await readAuditKey(keyFile));
  assert.deepEqual([found.fault, found.lines], [undefined, 5]);
  assert.match(await readFile(join(folder, 'audit-000000000001.jsonl'), 'utf8'), /"kind":"token"/);
});

test('refusals that repeat are counted by the minute, for each token, workspace and action by itself', async (t) => {
  const { audit, clock } = await open(t);
  const refused = (on: string, name = 'reports (3f1c2d4e5a6b)', kind: 'token' | 'support' = 'token'): void =>
    audit.enter(event(on, { actor: { kind, name }, result: 'refused', detail: 'no' }));
  for (let times = 0; times < 50; times += 1) {
    refused(BANK);
    refused(PLANT);
    refused(BANK, 'other (000000000000)');
    refused(BANK, 'vendor (111111111111)', 'support');
  }
  assert.equal((await audit.read({ last: 100, action: 'query' })).length, 4);
  clock.advance(MINUTE);
  refused(BANK);
  const details = (await audit.read({ last: 100, action: 'query' })).map(({ detail }) => detail);
  assert.equal(details.filter((detail) => detail?.includes('49 more')).length, 4);
  audit.close();
});
