import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readEnrolment } from '../../src/agent/agent-folder.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { createRelayLink, type RelayLink } from '../../src/agent/relay-link.ts';
import { systemClock } from '../../src/clock.ts';
import { createLogger } from '../../src/logger.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { type FakeRelay, KEY, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

const MINUTE_MS = 60_000;
const PATH = '/somewhere';

interface Stage extends AsyncDisposable {
  readonly a: FakeRelay;
  readonly b: FakeRelay;
  readonly link: RelayLink;
  readonly clock: ManualClock;
  readonly said: string[];
  /** Posts, and gives the status; 0 for no answer. */
  post(): Promise<number>;
}

/** An agent that enrolled at the first of two relays, on a clock turned by hand. Both answer 200. */
async function setStage(): Promise<Stage> {
  const folder = await makeTestFolder();
  const [a, b] = [await startFakeRelay(), await startFakeRelay()];
  await enrolAgent({ folder: folder.path, relay: a.address, workspaceId: WORKSPACE, key: KEY, trust: { root: a.root }, clock: systemClock });
  const { identity } = await readEnrolment(folder.path);
  for (const relay of [a, b]) {
    relay.seen.length = 0;
    relay.answer = () => ({ status: 200 });
  }
  const clock = createManualClock();
  const said: string[] = [];
  const log = createLogger('info', { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) });
  const link = createRelayLink({ relays: [a.address, b.address], root: a.root + b.root, identity, chance: () => 0, clock, log });
  return {
    a,
    b,
    link,
    clock,
    said,
    post: async () => (await link.post(PATH, {}, 'body').catch(() => undefined))?.status ?? 0,
    async [Symbol.asyncDispose]() {
      await link.close();
      for (const one of [a, b, folder]) await one[Symbol.asyncDispose]();
    },
  };
}

describe('an agent of a group of relays', () => {
  it('goes on with the next relay when its own does not answer, and stays there', async () => {
    await using stage = await setStage();
    const { a, b, post, link } = stage;
    assert.equal(await post(), 200);
    await a[Symbol.asyncDispose]();
    assert.deepEqual([await post(), await post(), await post(), await post()], [0, 0, 200, 200]);
    assert.deepEqual([a.seen.length, b.seen.length, link.relay], [1, 2, b.address]);
    assert.equal(stage.said.filter((line) => line.includes('goes on with another relay')).length, 1);
  });

  it('goes on with the next when its own cannot keep data, and not when its workspace is away', async () => {
    await using stage = await setStage();
    const { a, b, post, link } = stage;
    const refuse = (code: string) => () => ({ status: 503, headers: { 'retry-after': '480' }, body: JSON.stringify({ error: { code, message: 'no' } }) });
    a.answer = refuse('relay.cache.held');
    for (let at = 0; at < 4; at += 1) assert.equal(await post(), 503);
    assert.equal(link.relay, a.address);
    a.answer = refuse('relay.cache.unavailable');
    assert.deepEqual([await post(), await post(), await post()], [503, 503, 200]);
    assert.equal(link.relay, b.address);
  });

  it('leaves a relay whose certificate is not one of the group’s', async () => {
    await using stage = await setStage();
    const { b, post, link } = stage;
    link.trust(b.root);
    assert.deepEqual([await post(), await post(), await post()], [0, 0, 200]);
    assert.equal(link.relay, b.address);
  });

  it('goes back to its own after minutes, once that takes data', async () => {
    await using stage = await setStage();
    const { a, b, clock, post, link } = stage;
    const ready = (): number => a.seen.filter(({ path }) => path === '/health/ready').length;
    a.answer = () => ({ status: 503 });
    assert.deepEqual([await post(), await post(), await post()], [503, 503, 200]);
    clock.advance(4 * MINUTE_MS);
    await post();
    assert.equal(ready(), 0, 'it is too soon');
    for (let at = 0; at < 3; at += 1) clock.advance(MINUTE_MS);
    await eventually('the preferred relay is asked', () => ready() === 1);
    assert.equal(link.relay, b.address, 'it is not ready');
    a.answer = () => ({ status: 200 });
    await eventually('the agent is back', () => {
      clock.advance(MINUTE_MS);
      return link.relay === a.address;
    });
    assert.equal(await post(), 200);
  });

  it('follows a relay that names others', async () => {
    await using stage = await setStage();
    const { b, post, link } = stage;
    link.use([b.address]);
    assert.equal(link.relay, b.address);
    assert.equal(await post(), 200);
    assert.equal(b.seen.length, 1);
  });
});

describe('an agent that enrols', () => {
  it('tries the next relay when one does not answer, and remembers the others', async () => {
    await using folder = await makeTestFolder();
    await using gone = await startFakeRelay();
    await using relay = await startFakeRelay();
    const { address } = gone;
    await gone[Symbol.asyncDispose]();
    const trust = { root: relay.root };
    const outcome = await enrolAgent({
      folder: folder.path,
      relay: address,
      otherRelays: [relay.address],
      workspaceId: WORKSPACE,
      key: KEY,
      trust,
      clock: systemClock,
    });
    assert.equal(outcome.outcome, 'enrolled');
    const { settings } = await readEnrolment(folder.path);
    assert.deepEqual([settings.relay, settings.relays], [relay.address, [address]]);
  });

  it('takes a refusal as the whole group’s', async () => {
    await using folder = await makeTestFolder();
    await using first = await startFakeRelay();
    await using second = await startFakeRelay();
    const options = { folder: folder.path, workspaceId: WORKSPACE, key: Buffer.alloc(64, 'wrong').toString('base64'), clock: systemClock };
    const outcome = await enrolAgent({ ...options, relay: first.address, otherRelays: [second.address], trust: { root: first.root } });
    assert.equal(outcome.outcome, 'refused');
    assert.equal(second.seen.length, 0);
  });
});
