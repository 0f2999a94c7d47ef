import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '../../src/local-workspace/intake/database.ts';
import { BANK, openAlone, temporaryFolder, uploadOf } from './rig.ts';

test('uploads whose receipts cannot be written are refused; once they can be, the books have what is in the tables', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const { intake, records } = await openAlone(t, { dataFolder });
  for (const dataType of ['Syslog', 'Perf', 'Syslog']) assert.deepEqual(await intake.take(uploadOf(dataType, [{ n: 1 }])), { outcome: 'taken' });
  using database = await openDatabase(dataFolder, BANK);
  database.exec("CREATE TRIGGER full BEFORE INSERT ON batches WHEN NEW.data_type = 'Bad' BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  const results = await Promise.all(['Good', 'Bad'].map((dataType) => intake.take(uploadOf(dataType, [{ n: 9 }]))));
  assert.deepEqual(
    results.map((result) => result.outcome === 'refused' && result.refusal.status),
    [503, 503],
  );
  database.exec('DROP TRIGGER full');
  assert.deepEqual(await intake.take(uploadOf('Good', [{ n: 9 }])), { outcome: 'taken' });
  const counted = intake.count().map(({ dataType, batches }) => [dataType, batches]);
  assert.deepEqual(counted, [
    ['Bad', 1],
    ['Good', 2],
    ['Perf', 1],
    ['Syslog', 2],
  ]);
  for (const [dataType, batches] of counted) assert.equal((await records.newest({ dataType: String(dataType), limit: 10 })).length, batches, String(dataType));
});
