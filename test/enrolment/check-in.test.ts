import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServerInjectResponse } from '@hapi/hapi';
import { CONFIGURATION_PATH, DIRECT_TOKEN_PATH, readAgentConfiguration } from '../../src/check-in/agent-configuration.ts';
import { type CheckInOptions, checkInPlugin } from '../../src/enrolment/check-in.ts';
import { createDirectTokens, type TokenSource } from '../../src/routing/direct-tokens.ts';
import type { DirectWays } from '../../src/routing/direct-ways.ts';
import type { Routing } from '../../src/routing/routing.ts';
import { type Answered, BANK, codeIn, connectTls, createIntakeRig, type EnrolledAgent, enrolAgent, type IntakeRig, send } from '../intake/rig.ts';
import { openTestRouting } from '../routing/rig.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PERF = 'Performance counters';
/** No other part waits so long. */
const SECONDS = 59;
const HOST = 'relay.example.org:8443';
const WAYS: DirectWays = {
  has: (workspaceId) => workspaceId === BANK,
  wayTo: (_, relayHost) => ({ endpoint: 'https://ods.test', trust: ['root'], credential: 'certificate', proxy: `${relayHost}:8080` }),
};

interface Rig extends AsyncDisposable {
  readonly intake: IntakeRig;
  readonly routing: Routing;
  readonly agent: EnrolledAgent;
  ask(path?: string, headers?: Record<string, string>): Promise<ServerInjectResponse>;
}

/** A relay with check-in and one approved agent. `inject` speaks for that agent. */
async function createRig(settings: Partial<CheckInOptions> & { readonly injects?: boolean; readonly sources?: readonly TokenSource[] } = {}): Promise<Rig> {
  await using parts = new AsyncDisposableStack();
  const { path } = parts.use(await temporaryFolder());
  const { injects = true, sources = [], ...rest } = settings;
  let peer: Buffer | undefined;
  const intake = parts.use(await createIntakeRig(injects ? { peer: () => peer } : {}));
  const agent = await enrolAgent(intake);
  peer = agent.der;
  const routing = await openTestRouting(path);
  const options: CheckInOptions = {
    routing,
    directWays: WAYS,
    tokens: createDirectTokens(new Map(sources.map((source) => [BANK, source]))),
    streamsOf: () => new Set(['Custom-Perf_CL']),
    audit: () => {},
    registry: intake.group.registry,
    roots: () => [intake.rootPem],
    queueLimitBytes: undefined,
    ownHost: 'relay.test',
    mostWaiting: 2,
    clock: intake.clock,
    ...rest,
  };
  await intake.intake.hapi.register({ plugin: checkInPlugin, options });
  const all = parts.move();
  return {
    intake,
    routing,
    agent,
    ask: (query = '', headers = {}) => intake.intake.hapi.inject({ method: 'GET', url: `${CONFIGURATION_PATH}${query}`, headers }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Whether an agent waits `SECONDS` at this moment. */
function waits({ intake }: Rig): boolean {
  return intake.clock.waits().includes(SECONDS * 1_000);
}

function isWaiting(rig: Rig): Promise<unknown> {
  return eventually('an agent waits', () => waits(rig));
}

/** Asks as the rig's agent does over a connection of its own. */
function poll(port: number, { agent }: Rig, etag: string): Promise<Answered> {
  return send(port, agent.identity, { method: 'GET', path: `${CONFIGURATION_PATH}?wait=${SECONDS}`, headers: { 'if-none-match': etag, host: HOST } });
}

describe('GET /agent/configuration', () => {
  it('tells an agent its solutions, its direct way, its queue limit and the roots', async () => {
    await using rig = await createRig({ queueLimitBytes: 1_048_576 });
    const answer = await rig.ask('', { host: 'relay.example.org:8443' });
    assert.equal(answer.statusCode, 200);
    const found = readAgentConfiguration(answer.payload);
    assert.deepEqual(found.direct, { endpoint: 'https://ods.test', trust: ['root'], credential: 'certificate', proxy: 'relay.example.org:8080' });
    assert.deepEqual([found.queueLimitBytes, found.roots], [1_048_576, [rig.intake.rootPem]]);
    assert.deepEqual(
      found.solutions.filter(({ name }) => [PERF, 'Agent Health'].includes(name)).map(({ name, route, everyMs }) => [name, route, everyMs]),
      [
        ['Agent Health', 'relay', 60_000],
        [PERF, 'direct', 60_000],
      ],
    );
    assert.equal(answer.headers['etag'], `"${found.version}"`);
  });

  it('tells an agent of a group of relays where the others are, and of a change at once', async () => {
    let relays: readonly string[] = [];
    const listeners = new Set<() => void>();
    const onRelays = (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    await using rig = await createRig({ relays: () => relays, onRelays });
    const alone = await rig.ask('', { host: HOST });
    assert.equal(readAgentConfiguration(alone.payload).relays, undefined);
    const port = await rig.intake.intake.start();
    const waiting = poll(port, rig, String(alone.headers['etag']));
    await isWaiting(rig);
    relays = ['https://relay1.example.org:8443', 'https://relay2.example.org:8443'];
    for (const listener of listeners) listener();
    assert.deepEqual(readAgentConfiguration((await waiting).text).relays, relays);
  });

  it('says in a few bytes that nothing has changed', async () => {
    await using rig = await createRig();
    const { etag } = (await rig.ask()).headers;
    assert.ok(etag);
    for (const known of [etag, `W/${etag}`, `"older", ${etag}`]) {
      const answer = await rig.ask('', { 'if-none-match': known });
      assert.deepEqual([answer.statusCode, answer.payload, answer.headers['etag']], [304, '', etag], known);
    }
    assert.equal((await rig.ask('', { 'if-none-match': '"older"' })).statusCode, 200);
    await rig.routing.say({ solution: PERF }, { everyMs: 10_000 });
    const changed = await rig.ask('', { 'if-none-match': etag });
    assert.deepEqual([changed.statusCode, changed.headers['etag'] === etag], [200, false]);
  });

  it('is for approved agents only, and says why', async () => {
    await using rig = await createRig({ injects: false });
    const port = await rig.intake.intake.start();
    const ask = async (agent: EnrolledAgent | undefined): Promise<unknown[]> => {
      const { status, text } = await send(port, agent?.identity, { method: 'GET', path: CONFIGURATION_PATH });
      return [status, codeIn(text)];
    };
    assert.deepEqual(await ask(undefined), [403, 'relay.agent.no-certificate']);
    assert.deepEqual(await ask(await enrolAgent(rig.intake, 'pending')), [403, 'relay.agent.pending']);
    assert.deepEqual(await ask(await enrolAgent(rig.intake, 'suspended')), [403, 'relay.agent.suspended']);
  });
});

describe('an agent that waits for a change', () => {
  it('hears of it at once', async () => {
    await using rig = await createRig({ injects: false });
    const port = await rig.intake.intake.start();
    const first = await send(port, rig.agent.identity, { method: 'GET', path: CONFIGURATION_PATH, headers: { host: HOST } });
    const waiting = poll(port, rig, String(first.headers['etag']));
    await isWaiting(rig);
    // The clock stands still: only the change can end the wait.
    await rig.routing.say({ solution: PERF }, { route: 'relay' });
    const answer = await waiting;
    assert.equal(answer.status, 200);
    assert.equal(readAgentConfiguration(answer.text).solutions.find(({ name }) => name === PERF)?.route, 'relay');
    assert.ok(!waits(rig));
  });

  it('hears after the time it named, and after a minute at most, that nothing has', async () => {
    await using rig = await createRig();
    const etag = String((await rig.ask()).headers['etag']);
    const before = rig.intake.clock.waits().filter((ms) => ms === 60_000).length;
    const waiting = rig.ask('?wait=999', { 'if-none-match': etag });
    await eventually('it waits a minute', () => rig.intake.clock.waits().filter((ms) => ms === 60_000).length > before);
    rig.intake.clock.advance(60_000);
    assert.equal((await waiting).statusCode, 304);
    for (const wait of ['0', '-5', 'soon']) assert.equal((await rig.ask(`?wait=${wait}`, { 'if-none-match': etag })).statusCode, 304, wait);
  });

  it('hears of new roots, and of its own suspension', async () => {
    const listeners: (() => void)[] = [];
    const onRoots = (listener: () => void): (() => void) => {
      listeners.push(listener);
      return () => {};
    };
    let roots = ['old root'];
    await using rig = await createRig({ roots: () => roots, onRoots: onRoots });
    const etag = String((await rig.ask()).headers['etag']);
    const waiting = rig.ask(`?wait=${SECONDS}`, { 'if-none-match': etag });
    await isWaiting(rig);
    roots = ['old root', 'new root'];
    for (const tell of listeners) tell();
    const told = await waiting;
    assert.deepEqual(readAgentConfiguration(told.payload).roots, roots);

    const again = rig.ask(`?wait=${SECONDS}`, { 'if-none-match': String(told.headers['etag']) });
    await isWaiting(rig);
    rig.intake.group.registry.setState(BANK, rig.agent.agentId, 'suspended', 'stolen');
    for (const tell of listeners) tell();
    const refused = await again;
    assert.deepEqual([refused.statusCode, codeIn(refused.payload)], [403, 'relay.agent.suspended']);
  });

  it('is asked to come back when too many wait, and leaves its place when it is gone', async () => {
    await using rig = await createRig({ injects: false, mostWaiting: 1 });
    const port = await rig.intake.intake.start();
    const first = await send(port, rig.agent.identity, { method: 'GET', path: CONFIGURATION_PATH, headers: { host: HOST } });
    const etag = String(first.headers['etag']);
    const waiting = poll(port, rig, etag);
    await isWaiting(rig);
    const refused = await poll(port, rig, etag);
    assert.deepEqual([refused.status, codeIn(refused.text), refused.headers['retry-after']], [503, 'relay.agent.too-many-waiting', '30']);
    rig.intake.clock.advance(60_000);
    assert.equal((await waiting).status, 304);

    const socket = await connectTls(port, rig.agent.identity);
    socket.write(`GET ${CONFIGURATION_PATH}?wait=${SECONDS} HTTP/1.1\r\nHost: ${HOST}\r\nIf-None-Match: ${etag}\r\n\r\n`);
    await isWaiting(rig);
    socket.destroy();
    await eventually('the place is free again', () => !waits(rig));
  });

  it('is answered when the relay stops', async () => {
    await using rig = await createRig({ injects: false });
    const port = await rig.intake.intake.start();
    const first = await send(port, rig.agent.identity, { method: 'GET', path: CONFIGURATION_PATH, headers: { host: HOST } });
    const waiting = poll(port, rig, String(first.headers['etag']));
    await isWaiting(rig);
    const stopped = rig.intake.intake.stop(60_000);
    assert.equal((await waiting).status, 304);
    await stopped;
  });
});

describe('POST /agent/direct-token', () => {
  const ask = async ({ intake }: Rig, payload: string): Promise<unknown[]> => {
    const { statusCode, payload: text, headers } = await intake.intake.hapi.inject({ method: 'POST', url: DIRECT_TOKEN_PATH, payload });
    return [statusCode, statusCode === 200 ? JSON.parse(text) : codeIn(text), headers['retry-after']];
  };

  it('says that nobody gives tokens where nobody does', async () => {
    await using rig = await createRig();
    assert.deepEqual(await ask(rig, '{"stream":"Custom-Perf_CL"}'), [501, 'relay.agent.no-token-source', undefined]);
  });

  it('hands out what the workspace gives for exactly this agent and stream', async () => {
    await using rig = await createRig({ sources: [({ agentId, stream }) => Promise.resolve({ token: `${agentId} ${stream}`, expiresAt: 7 })] });
    assert.deepEqual(await ask(rig, '{"stream":"Custom-Perf_CL"}'), [200, { token: `${rig.agent.agentId} Custom-Perf_CL`, expiresAt: 7 }, undefined]);
  });

  it("refuses a stream that none of the agent's data goes straight to", async () => {
    await using rig = await createRig({ sources: [() => Promise.resolve({ token: 't', expiresAt: 7 })] });
    assert.deepEqual(await ask(rig, '{"stream":"Custom-Secrets_CL"}'), [403, 'relay.agent.not-its-stream', undefined]);
  });

  it('hands out nothing to an agent that was suspended while its token was fetched', async () => {
    let registry: CheckInOptions['registry'] | undefined;
    const suspended = {
      get: (agent: Parameters<CheckInOptions['registry']['get']>[0]) => ({ ...(registry?.get(agent) ?? assert.fail()), state: 'suspended' as const }),
    };
    await using rig = await createRig({ registry: suspended, sources: [() => Promise.resolve({ token: 't', expiresAt: 7 })] });
    registry = rig.intake.group.registry;
    assert.deepEqual(await ask(rig, '{"stream":"Custom-Perf_CL"}'), [403, 'relay.agent.suspended', undefined]);
  });

  it('enters each token once, and refusals once a minute', async () => {
    const events: string[] = [];
    let expiresAt = 0;
    await using rig = await createRig({
      audit: ({ action, result, on, detail }) => void events.push([action, result, on.replace(/^\S+ /, ''), detail].join(' | ')),
      sources: [() => Promise.resolve({ token: 't', expiresAt })],
    });
    const { clock } = rig.intake;
    expiresAt = clock.now() + 3_600_000;
    for (let time = 0; time < 3; time += 1) {
      await ask(rig, '{"stream":"Custom-Perf_CL"}');
      await ask(rig, '{"stream":"Custom-Other_CL"}');
    }
    const until = new Date(expiresAt).toISOString();
    const given = `token.hand-out | done | Custom-Perf_CL | good until ${until}`;
    const refused = 'token.hand-out | refused | Custom-Other_CL | none of its data goes straight to that stream';
    assert.deepEqual(events, [given, refused]);
    clock.advance(60_000);
    await ask(rig, '{"stream":"Custom-Other_CL"}');
    expiresAt += 1_000;
    await ask(rig, '{"stream":"Custom-Perf_CL"}');
    assert.deepEqual(
      events.map((event) => event.split(' | ')[1]),
      ['done', 'refused', 'refused', 'done'],
    );
  });

  it('asks to come back when the workspace gives none, and refuses what names no stream', async () => {
    await using rig = await createRig({ sources: [() => Promise.reject(new Error('HTTP 500'))] });
    assert.deepEqual(await ask(rig, '{"stream":"Custom-Perf_CL"}'), [503, 'relay.agent.no-token-now', '30']);
    for (const bad of ['', '{}', '{"stream":"a b"}', 'null']) assert.deepEqual(await ask(rig, bad), [400, 'relay.intake.bad-request', undefined], bad);
  });
});
