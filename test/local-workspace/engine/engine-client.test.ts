import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type EngineClient, startEngine } from '../../../src/local-workspace/engine/engine-client.ts';
import type { EngineEvent } from '../../../src/local-workspace/engine/operations.ts';
import { silentLogger } from '../../../src/logger.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openLog } from '../staging/staging-rig.ts';
import { BANK, custom, KEY, OTHER_KEY, PLANT } from '../tables/store-rig.ts';
import { fieldsOf } from './engine-rig.ts';

interface Started {
  readonly engine: EngineClient;
  readonly events: readonly EngineEvent[];
  readonly ends: readonly unknown[];
}

function start(t: TestContext): Started {
  const [events, ends]: [EngineEvent[], unknown[]] = [[], []];
  const engine = startEngine({ onEvent: (event) => events.push(event), onEnd: () => ends.push(1), log: silentLogger });
  t.after(() => engine.close());
  return { engine, events, ends };
}

test('what is asked of the thread is answered, and it tells what changed', async (t) => {
  await using folder = await temporaryFolder();
  const { engine, events } = start(t);
  const staging = await openLog(join(folder.path, 'staging'));
  t.after(() => staging.close());
  assert.deepEqual(await engine.ask('open', BANK, { folder: folder.path, dataKey: KEY }), { committedSeq: 0 });
  const seq = await staging.append(custom('Door', [{ n: 1 }]));
  assert.deepEqual(await engine.ask('commit', BANK, { seq }), { committedSeq: 1 });
  assert.deepEqual(fieldsOf(await engine.ask('rows', BANK, { limit: 9, end: 'newest' }), 'n'), [1]);
  assert.deepEqual(
    events.map(({ kind, workspaceId }) => [kind, workspaceId]),
    [['changed', BANK]],
  );
});

test('what the engine refuses comes with its code', async (t) => {
  await using folder = await temporaryFolder();
  const { engine } = start(t);
  await assert.rejects(engine.ask('figures', PLANT, undefined), { code: 'relay.local-workspace.tables-closed' });
  await engine.ask('open', BANK, { folder: folder.path, dataKey: KEY });
  await assert.rejects(engine.ask('open', PLANT, { folder: folder.path, dataKey: OTHER_KEY }), { code: 'relay.local-workspace.catalogue-unusable' });
});

test('two workspaces are kept apart in one thread', async (t) => {
  await using folder = await temporaryFolder();
  const { engine } = start(t);
  for (const [id, dataKey] of [
    [BANK, KEY],
    [PLANT, OTHER_KEY],
  ] as const) {
    await engine.ask('open', id, { folder: join(folder.path, id), dataKey });
  }
  const logs = await Promise.all([BANK, PLANT].map((id) => openLog(join(folder.path, id, 'staging'))));
  t.after(() => Promise.all(logs.map((log) => log.close())));
  await logs[0]?.append(custom('Door', [{ n: 1 }]));
  for (const id of [BANK, PLANT]) await engine.ask('commit', id, { seq: 1 });
  const rows = await Promise.all([BANK, PLANT].map((id) => engine.ask('rows', id, { limit: 9, end: 'newest' })));
  assert.deepEqual(
    rows.map(({ length }) => length),
    [1, 0],
  );
});

test('who waits for an engine that is closed is told, and nobody is told that it ended by itself', async (t) => {
  await using folder = await temporaryFolder();
  const { engine, ends } = start(t);
  const asked = engine.ask('open', BANK, { folder: folder.path, dataKey: KEY });
  const told = assert.rejects(asked, { code: 'relay.local-workspace.engine-ended' });
  await engine.close();
  await told;
  assert.deepEqual(ends, []);
});
