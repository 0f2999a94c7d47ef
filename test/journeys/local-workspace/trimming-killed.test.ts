import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BANK } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { seeded } from '../../support/seeded.ts';
import { foundIn, openedFiles } from './opened-files.ts';
import { type Place, startPlace } from './place.ts';
import { agentOf, sendCustom } from './senders.ts';

const LATER = fileURLToPath(new URL('./later-process.ts', import.meta.url));
const ROUNDS = 4;
const TABLES = 12;
/** Longer than the usual retention. */
const DAYS_LATER = 40;

function startLater(dataFolder: string): ChildProcess {
  return spawn(process.execPath, [LATER, dataFolder, String(DAYS_LATER)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Rows in many tables, half of which are kept for two years. */
async function fill(place: Place): Promise<{ readonly kept: string[]; readonly gone: string[] }> {
  const agent = await agentOf(place, BANK);
  const [kept, gone]: [string[], string[]] = [[], []];
  for (let at = 0; at < TABLES; at += 1) {
    const name = at % 2 === 0 ? 'Keep' : 'Leave';
    const word = `${name}-${at}-`;
    (at % 2 === 0 ? kept : gone).push(word);
    assert.equal((await sendCustom(place, agent, `${name}${at}`, [{ Text: word }])).status, 200);
    await place.rows(BANK, `${name}${at}_CL | count`);
    if (at % 2 === 0) await place.operator('PUT', `/workspaces/${BANK}/tables/${name}${at}_CL`, { properties: { retentionInDays: 700 } });
  }
  return { kept, gone };
}

test('killed while rows past their retention are removed: they go in the end, from the disk too, and no other goes', async (t) => {
  const place = await startPlace(t, { settings: { workspaces: { [BANK]: { retention: { graceDays: 0 } } } } });
  const { kept, gone } = await fill(place);
  await place.stop();
  const chance = seeded(4714);
  for (let round = 0; round < ROUNDS; round += 1) {
    const later = startLater(place.dataFolder);
    t.after(() => later.kill('SIGKILL'));
    await once(later.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    // The first round comes 60 ms after the start.
    const until = performance.now() + 40 + chance() * 60;
    while (performance.now() < until) await place.operator('GET', '/fault');
    later.kill('SIGKILL');
    await once(later, 'close');
    assert.equal(foundIn(await openedFiles(place, BANK), kept).segments, kept.length, `after round ${round}`);
  }
  const later = startLater(place.dataFolder);
  t.after(() => later.kill('SIGKILL'));
  await once(later.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  await eventually('what is past its retention is in no file', async () => {
    const found = foundIn(await openedFiles(place, BANK), gone);
    return found.segments === 0 && found.staged === 0;
  });
  const rows: unknown[][] = [];
  for (let at = 0; at < TABLES; at += 1) rows.push(...(await place.rows(BANK, `${at % 2 === 0 ? 'Keep' : 'Leave'}${at}_CL | project Text_s`)));
  assert.deepEqual(
    rows.map(([word]) => word),
    kept,
  );
  later.kill('SIGKILL');
  await once(later, 'close');
});
