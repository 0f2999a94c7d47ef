/** What is of one workspace does nothing in another: in the files. Whoever can write to the data folder moves them about while nothing runs. */
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { RelayError } from '../../../src/errors.ts';
import { workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import { BANK, PLANT, type TestAgent, temporaryFolder } from '../../local-workspace/rig.ts';
import { question } from './https.ts';
import { type Place, startPlace } from './place.ts';
import { agentOf, sendSyslog } from './senders.ts';

interface Stopped {
  readonly place: Place;
  /** The folders of the two, and their registers. */
  readonly bank: string;
  readonly plant: string;
  readonly agents: readonly TestAgent[];
  readonly readers: Readonly<Record<'bank' | 'plant', string>>;
}

/** A data folder with two workspaces that have rows, in segments and in the staging log; nothing runs. The bank has had more. */
async function stoppedPlace(t: TestContext): Promise<Stopped> {
  const place = await startPlace(t);
  const agents = [await agentOf(place, BANK), await agentOf(place, PLANT)] as const;
  for (const at of [1, 2, 3, 4]) await sendSyslog(place, agents[0], [`of the bank ${at}`]);
  await sendSyslog(place, agents[1], ['of the plant']);
  const readers = { bank: await place.token('reader'), plant: await place.token('reader', PLANT) };
  await place.stop();
  return { place, bank: workspaceFolder(place.dataFolder, BANK), plant: workspaceFolder(place.dataFolder, PLANT), agents, readers };
}

/** What the plant answers, whoever asks; nothing of the bank may be in it. */
async function answersOfPlant({ place, readers }: Stopped): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await place.ask(question(PLANT, 'Syslog | project TenantId, SyslogMessage', readers.plant));
  const records = await place
    .local()
    .query(PLANT, { limit: 100 })
    .catch((error: unknown) => String(error));
  const all = [answer.text, JSON.stringify(records), (await place.ask(question(PLANT, 'union LAQueryLogs, Syslog', readers.plant))).text].join('\n');
  assert.ok(!all.includes('of the bank') && !all.includes(BANK), all);
  return answer;
}

/** Starts; what is refused is refused with a code of ours, in words that name the file or the workspace. */
async function refusedStart({ place }: Stopped): Promise<RelayError> {
  const refused: unknown = await place.start().then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(refused instanceof RelayError, `it was ${String(refused)}`);
  return refused;
}

const segmentsOf = async (folder: string): Promise<string[]> => (await readdir(join(folder, 'segments'))).filter((name) => name.endsWith('.seg'));
const stagedOf = async (folder: string): Promise<string[]> => (await readdir(join(folder, 'staging'))).toSorted();

test('a staging log of another workspace is not read, and is an incident', async (t) => {
  for (const how of ['over its own', 'behind its own'] as const) {
    const stopped = await stoppedPlace(t);
    const { place, bank, plant, agents } = stopped;
    const [file] = await stagedOf(bank);
    assert.ok(file !== undefined);
    await cp(join(bank, 'staging', file), join(plant, 'staging', how === 'over its own' ? file : file.replace('1.log', '2.log')));
    await place.start();
    assert.match((await answersOfPlant(stopped)).text, /of the plant/);
    assert.equal((await sendSyslog(place, agents[1] as TestAgent, ['and on'])).status, 200);
    assert.match((await answersOfPlant(stopped)).text, /of the plant.*and on/);
    assert.equal(JSON.stringify(place.local().count(PLANT)).includes('"records":2'), true);
    const [incident] = await place.incidents('integrity-failure');
    assert.equal(incident?.source, `workspace ${PLANT}`, how);
    await place.stop();
  }
});

test('a segment of another workspace is swept away when it is new, and refused in the place of its own', async (t) => {
  const stopped = await stoppedPlace(t);
  const { place, bank, plant, readers } = stopped;
  const [ofBank] = await segmentsOf(bank);
  const [ofPlant] = await segmentsOf(plant);
  assert.ok(ofBank !== undefined && ofPlant !== undefined);
  await cp(join(bank, 'segments', ofBank), join(plant, 'segments', ofBank));
  await place.start();
  assert.match((await answersOfPlant(stopped)).text, /of the plant/);
  assert.ok(!(await segmentsOf(plant)).includes(ofBank));
  await place.stop();

  await cp(join(bank, 'segments', ofBank), join(plant, 'segments', ofPlant));
  await place.start();
  const answer = await answersOfPlant(stopped);
  assert.notEqual(answer.status, 200);
  assert.match(answer.text, /segment/);
  assert.equal((await place.ask(question(BANK, 'Syslog | count', readers.bank))).status, 200);
  const [incident] = await place.incidents('integrity-failure');
  assert.equal(incident?.source, `workspace ${PLANT}`);
});

test('a catalogue of another workspace is not opened, nor one that was made to say otherwise', async (t) => {
  const stopped = await stoppedPlace(t);
  const { bank, plant } = stopped;
  const catalogue = join(plant, 'catalogue.sqlite');
  await cp(join(bank, 'catalogue.sqlite'), catalogue);
  const refused = await refusedStart(stopped);
  assert.equal(refused.code, 'relay.local-workspace.catalogue-unusable');
  assert.match(refused.message, new RegExp(`it is of workspace ${BANK}, not of ${PLANT}; put each workspace's folder back`));

  const database = new DatabaseSync(catalogue);
  database.exec(`UPDATE progress SET workspace_id = '${PLANT}'; UPDATE segments SET workspace_id = '${PLANT}'`);
  database.close();
  for (const name of await segmentsOf(bank)) await cp(join(bank, 'segments', name), join(plant, 'segments', name));
  const said = await refusedStart(stopped);
  assert.match(said.code, /^relay\.local-workspace\./);
});

test('a data key of another workspace opens nothing', async (t) => {
  const stopped = await stoppedPlace(t);
  const { place, bank, plant } = stopped;
  const own = await readFile(join(plant, 'data-key.json'));
  await cp(join(bank, 'data-key.json'), join(plant, 'data-key.json'));
  await place.start();
  assert.equal((await answersOfPlant(stopped)).status, 503);
  assert.equal((await sendSyslog(place, stopped.agents[1] as TestAgent, ['x'])).status, 503);
  assert.notDeepEqual(await readFile(join(plant, 'data-key.json')), own);
});

test('a whole folder of another workspace opens nothing, nor do two that changed places', async (t) => {
  const stopped = await stoppedPlace(t);
  const { place, bank, plant } = stopped;
  const away = join(await temporaryFolder(t), 'away');
  await rename(plant, away);
  await cp(bank, plant, { recursive: true });
  await place.start();
  assert.equal((await answersOfPlant(stopped)).status, 503);
  await place.stop();

  await rm(plant, { recursive: true });
  await rename(bank, plant);
  await cp(away, bank, { recursive: true });
  await place.start();
  assert.equal((await answersOfPlant(stopped)).status, 503);
  const bankSays = await place.ask(question(BANK, 'Syslog', stopped.readers.bank));
  assert.deepEqual([bankSays.status, bankSays.text.includes('of the plant')], [503, false]);
});

test('a register of another workspace is not opened', async (t) => {
  const stopped = await stoppedPlace(t);
  const { bank, plant } = stopped;
  await cp(`${bank}.sqlite`, `${plant}.sqlite`);
  const refused = await refusedStart(stopped);
  assert.equal(refused.code, 'relay.local-workspace.database-unusable');
  assert.match(refused.message, new RegExp(`it is of workspace ${BANK}, not of ${PLANT}`));
});
