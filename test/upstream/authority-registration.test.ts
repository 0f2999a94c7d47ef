import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '../../src/logger.ts';
import { type AuthorityRegistration, createAuthorityRegistration } from '../../src/upstream/authority-registration.ts';
import { createHttpClient } from '../../src/upstream/http-client.ts';
import { createRegistration, type Registration } from '../../src/upstream/registration.ts';
import { createRelayIdentities } from '../../src/upstream/relay-identity.ts';
import { type AgentId, parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK, keyOf, post, type Rig, startRig, syslog, temporaryFolder } from '../local-workspace/rig.ts';
import { eventually } from '../support/eventually.ts';
import { createRoot, type Root } from '../support/management-group-root.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

interface Relay {
  readonly registration: Registration;
  readonly authorities: AuthorityRegistration;
  readonly said: string[];
}

interface Stage extends Rig {
  readonly clock: ManualClock;
  readonly root: Root;
  readonly agentId: AgentId;
  /** The agents that the relay lets send. */
  agents: AgentId[];
  /** Whether the operator has opened the direct way. */
  isOpen: boolean;
  start(): Relay;
  /** What a direct upload of the agent is answered. */
  direct(): Promise<number>;
}

/** A relay's word about its agents before a local workspace, on a clock turned by hand. `start` is a start of the relay's process. */
async function setStage(t: TestContext): Promise<Stage> {
  const clock = createManualClock();
  const rig = await startRig(t, {}, clock);
  const folder = join(await temporaryFolder(t), 'upstream');
  const root = await createRoot();
  const agentId = parseAgentId(randomUUID());
  const identity = await root.issue(BANK, agentId);
  const stage: Stage = {
    ...rig,
    clock,
    root,
    agentId,
    agents: [agentId],
    isOpen: true,
    direct: async () => (await post(rig.listening, identity, syslog(['x']))).status,
    start() {
      const said: string[] = [];
      const log = createLogger('info', { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) });
      const client = createHttpClient({ connections: 2, connectTimeoutMs: 5_000, requestTimeoutMs: 5_000, trust: rig.listening.rootPem });
      const service = { workspaceId: BANK, serviceUrl: rig.listening.url, userAgent: 'Relay/test', client, clock, log };
      const registration = createRegistration({
        ...service,
        sharedKey: async () => keyOf(BANK),
        identities: createRelayIdentities(folder, BANK, { lifeMs: 90 * 86_400_000, now: clock.now }),
        onRegistered: () => authorities.registered(),
      });
      const statement = (): { roots: string[]; agents: AgentId[] } => (stage.isOpen ? { roots: [root.pem], agents: stage.agents } : { roots: [], agents: [] });
      const authorities = createAuthorityRegistration({ ...service, registration, folder, statement });
      t.after(async () => {
        authorities.close();
        registration.close();
        await client.close();
      });
      return { registration, authorities, said };
    },
  };
  return stage;
}

const TOLD = 'the workspace knows which agents may send to it';
const FAILED = 'the workspace could not be told which agents may send to it; it is tried again every minute';

describe("the relay's word about its agents", () => {
  it('is given after the registration, and not before: then they may send straight to the workspace', async (t) => {
    const stage = await setStage(t);
    const { registration, authorities, said } = stage.start();
    authorities.changed();
    assert.equal(await stage.direct(), 403);
    await registration.ensure();
    await eventually('the direct way is open', async () => (await stage.direct()) === 200);
    await eventually('said', () => said.length === 2);
    assert.deepEqual(said, ['registered with the workspace', TOLD]);
  });

  it('is given again when it has changed, and only then', async (t) => {
    const stage = await setStage(t);
    const { registration, authorities, said } = stage.start();
    await registration.ensure();
    await eventually('told', () => said.includes(TOLD));
    authorities.changed();
    stage.agents = [];
    authorities.changed();
    await eventually('the agent is refused', async () => (await stage.direct()) === 403);
    await eventually('told twice', () => said.filter((line) => line === TOLD).length === 2);
  });

  it('reaches a workspace that was away, once it is back', async (t) => {
    const stage = await setStage(t);
    const { registration, authorities, said } = stage.start();
    await registration.ensure();
    await eventually('told', () => said.includes(TOLD));
    await stage.local.setFault({ mode: 'error' });
    stage.agents = [];
    authorities.changed();
    await eventually('a failure', () => said.includes(FAILED));
    await stage.local.setFault({ mode: 'none' });
    assert.equal(await stage.direct(), 200);
    await eventually('a planned try', () => stage.clock.waits().includes(60_000));
    stage.clock.advance(60_000);
    await eventually('the agent is refused', async () => (await stage.direct()) === 403);
    assert.equal(said.filter((line) => line === FAILED).length, 1);
  });

  it('is given after a restart when the process before could not, without waiting for data', async (t) => {
    const stage = await setStage(t);
    const before = stage.start();
    await before.registration.ensure();
    await eventually('told', () => before.said.includes(TOLD));
    await stage.local.setFault({ mode: 'error' });
    stage.agents = [];
    before.authorities.changed();
    await eventually('a failure', () => before.said.includes(FAILED));
    before.authorities.close();
    await stage.local.setFault({ mode: 'none' });
    assert.equal(await stage.direct(), 200);
    stage.start().authorities.changed();
    await eventually('the agent is refused', async () => (await stage.direct()) === 403);
  });

  it('is not given where there is no direct way, and is taken back where there is none any more', async (t) => {
    const stage = await setStage(t);
    stage.isOpen = false;
    const first = stage.start();
    await first.registration.ensure();
    first.authorities.changed();
    assert.equal(await stage.direct(), 403);
    assert.ok(!first.said.includes(TOLD));
    stage.isOpen = true;
    first.authorities.registered();
    await eventually('the direct way is open', async () => (await stage.direct()) === 200);
    first.authorities.close();
    stage.isOpen = false;
    stage.start().authorities.changed();
    await eventually('the direct way is shut', async () => (await stage.direct()) === 403);
  });

  it('is kept to itself before a service that does not want it', async (t) => {
    const stage = await setStage(t);
    const { registration, authorities, said } = stage.start();
    await registration.ensure();
    await eventually('told', () => said.includes(TOLD));
    await stage.local.setFault({ mode: 'status', status: 404 });
    stage.agents = [];
    authorities.changed();
    await stage.local.setFault({ mode: 'none' });
    authorities.registered();
    await eventually('told the new workspace', async () => (await stage.direct()) === 403);
    assert.ok(!said.includes(FAILED));
  });
});
