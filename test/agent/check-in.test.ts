import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readEnrolment } from '../../src/agent/agent-folder.ts';
import { type CheckIn, createCheckIn } from '../../src/agent/check-in.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { HEALTH, type Instructions, openInstructions, PERFORMANCE, SYSTEM_LOG } from '../../src/agent/instructions.ts';
import { createRelayLink } from '../../src/agent/relay-link.ts';
import { type AgentConfiguration, CONFIGURATION_PATH } from '../../src/check-in/agent-configuration.ts';
import { systemClock } from '../../src/clock.ts';
import { createLogger, silentLogger } from '../../src/logger.ts';
import { writeRefusal } from '../../src/oms-protocol/refusal-body.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { type FakeAnswer, type FakeRelay, KEY, type Seen, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

interface Stage extends AsyncDisposable {
  readonly relay: FakeRelay;
  readonly folder: string;
  readonly clock: ManualClock;
  readonly instructions: Instructions;
  readonly checkIn: CheckIn;
  readonly said: string[];
  readonly roots: string[][];
  questions(): Seen[];
}

/** An enrolled agent's check-in before a relay that answers as told, on a clock turned by hand. */
async function setStage(answer: (question: Seen, number: number) => FakeAnswer | undefined): Promise<Stage> {
  const folder = await makeTestFolder();
  const relay = await startFakeRelay();
  await enrolAgent({ folder: folder.path, relay: relay.address, workspaceId: WORKSPACE, key: KEY, trust: { root: relay.root }, clock: systemClock });
  relay.seen.length = 0;
  relay.answer = (seen) => answer(seen, relay.seen.length);
  const { settings, identity, root } = await readEnrolment(folder.path);
  const clock = createManualClock();
  const said: string[] = [];
  const roots: string[][] = [];
  const log = createLogger('info', { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) });
  const link = createRelayLink({ relays: [settings.relay], root, identity, chance: () => 0, clock, log: silentLogger });
  const instructions = await openInstructions(folder.path, silentLogger);
  const learnRoots = async (told: readonly string[]): Promise<void> => void roots.push([...told]);
  const checkIn = createCheckIn({ link, instructions, learnRoots, chance: () => 0, clock, log });
  return {
    relay,
    folder: folder.path,
    clock,
    instructions,
    checkIn,
    said,
    roots,
    questions: () => relay.seen.filter(({ path }) => path.startsWith(CONFIGURATION_PATH)),
    async [Symbol.asyncDispose]() {
      await Promise.all([checkIn.stop(), link.close()]);
      await relay[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function configuration(version: string, change: Partial<AgentConfiguration> = {}): AgentConfiguration {
  const solutions = [
    { name: HEALTH, isEnabled: true, everyMs: 60_000, route: 'relay' },
    { name: PERFORMANCE, isEnabled: true, everyMs: 10_000, route: 'direct' },
    { name: SYSTEM_LOG, isEnabled: false, everyMs: 5_000, route: 'relay', dataTypes: { LINUX_SYSLOGS_BLOB: 'direct' } },
  ] as const;
  return { version, solutions, roots: ['root'], ...change };
}

const told = (version: string): FakeAnswer => ({ status: 200, body: JSON.stringify(configuration(version)) });

/** Lets the agent ask again after its pause of `ms`. */
async function next(stage: Stage, ms: number): Promise<void> {
  await eventually(`a wait of ${ms}`, () => stage.clock.waits()[0] === ms);
  stage.clock.advance(ms);
}

describe('the check-in', () => {
  it('follows what the relay says, keeps it over a restart, and asks by long poll with the version it has', async () => {
    await using stage = await setStage((_, number) => (number === 1 ? told('one') : { status: 304 }));
    assert.equal(stage.instructions.routeOf('LINUX_PERF_BLOB'), 'relay');
    stage.checkIn.start();
    await next(stage, 1_000);
    await eventually('a second question', () => stage.questions().length === 2);
    const [first, second] = stage.questions();
    assert.deepEqual([first?.path, first?.headers['if-none-match']], [CONFIGURATION_PATH, undefined]);
    assert.deepEqual([second?.path, second?.headers['if-none-match']], [`${CONFIGURATION_PATH}?wait=55`, '"one"']);
    assert.deepEqual(stage.roots, [['root']]);

    const again = await openInstructions(stage.folder, silentLogger);
    assert.equal(again.current()?.version, 'one');
    assert.equal(again.setting(PERFORMANCE)?.everyMs, 10_000);
    assert.deepEqual(['HEALTH_ASSESSMENT_BLOB', 'OPERATION_BLOB', 'LINUX_PERF_BLOB', 'LINUX_SYSLOGS_BLOB', 'SOMETHING_ELSE'].map(again.routeOf), [
      'relay',
      'relay',
      'direct',
      'direct',
      'relay',
    ]);
  });

  it('tells of each change once', async () => {
    const answers = [told('one'), { status: 304 }, told('two'), told('two')];
    await using stage = await setStage((_, number) => answers[number - 1] ?? { status: 304 });
    let changes = 0;
    stage.instructions.onChange(() => {
      changes += 1;
    });
    stage.checkIn.start();
    for (let question = 1; question <= 4; question += 1) await next(stage, 1_000);
    await eventually('five questions', () => stage.questions().length === 5);
    assert.equal(changes, 2);
    assert.equal(stage.instructions.current()?.version, 'two');
  });

  it('takes an older relay as it is: no warning, everything through the relay', async () => {
    await using stage = await setStage((_, number) => (number === 1 ? told('one') : { status: 404 }));
    stage.checkIn.start();
    await next(stage, 1_000);
    await next(stage, 300_000);
    assert.equal(stage.instructions.current(), undefined);
    assert.equal(stage.instructions.routeOf('LINUX_PERF_BLOB'), 'relay');
    assert.deepEqual(
      stage.said.filter((line) => line.includes('did not say')),
      [],
    );
  });

  it('stays with what it was told while the relay refuses, fails or says what cannot be used, and says so once', async () => {
    const pending = { status: 403, body: writeRefusal('AgentPending', 'Wait.') };
    const answers = [told('one'), pending, { status: 500 }, { status: 200, body: '{"version":1}' }];
    await using stage = await setStage((_, number) => answers[number - 1] ?? { status: 304 });
    stage.checkIn.start();
    for (const ms of [1_000, 30_000, 2_000, 4_000]) await next(stage, ms);
    await eventually('the relay answers again', () => stage.questions().length === 5);
    assert.equal(stage.instructions.current()?.version, 'one');
    assert.deepEqual(
      stage.said.map((line) => line.slice(0, 60)),
      [
        'the relay has said what to collect and where to send it',
        'the relay did not say what to collect: 403 AgentPending: Wai',
        'the relay did not say what to collect: 500 HTTP 500: The ans',
        "the relay did not say what to collect: The relay's configura",
      ],
    );
  });

  it('stops at once while the relay keeps its question back', async () => {
    await using stage = await setStage(() => told('one'));
    stage.relay.answer = () => (stage.relay.seen.length === 1 ? told('one') : 'never');
    stage.checkIn.start();
    await next(stage, 1_000);
    await eventually('a long poll', () => stage.questions().length === 2);
    await stage.checkIn.stop();
  });

  it('begins without what it was told when the file is damaged', async () => {
    await using folder = await makeTestFolder();
    await writeFile(join(folder.path, 'configuration.json'), '{"version":"on');
    const instructions = await openInstructions(folder.path, silentLogger);
    assert.equal(instructions.current(), undefined);
  });
});
